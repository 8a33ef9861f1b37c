-- Per user
-- Runs, those that failed, and the GPU hours of these.
SELECT
  "user",
  count(*) AS runs,
  count(*) FILTER (failed) AS failed,
  round(sum(gpu_hours) FILTER (failed), 1) AS "GPU hours lost",
  mode(cause) FILTER (failed) AS "commonest cause"
FROM runs JOIN costs USING (run) GROUP BY "user" ORDER BY failed DESC, "user"
