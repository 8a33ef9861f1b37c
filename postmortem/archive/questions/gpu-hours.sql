-- GPU hours by cause
-- Elapsed time of the job times its GPUs, by its log or the scheduler's table; `unknown` counts runs without either.
SELECT
  cause,
  count(*) AS runs,
  round(sum(gpu_hours), 1) AS "GPU hours",
  round(100.0 * sum(gpu_hours) / nullif(sum(sum(gpu_hours)) OVER (), 0), 1) AS "share %",
  count(*) FILTER (gpu_hours IS NULL) AS unknown
FROM runs JOIN costs USING (run) GROUP BY cause ORDER BY "GPU hours" DESC NULLS LAST, runs DESC, cause
