-- Causes over time
-- By the month in which a run began; the month of its newest file where neither log nor scheduler says so.
SELECT
  strftime(coalesce(costs.started, runs.started, modified), '%Y-%m') AS month,
  cause,
  count(*) AS runs,
  round(sum(gpu_hours), 1) AS "GPU hours"
FROM runs JOIN costs USING (run) GROUP BY month, cause ORDER BY month, runs DESC, cause
