-- Runs by cause
-- The primary root cause of each run; `not established` where something went wrong and the log does not say why.
SELECT
  cause,
  count(*) AS runs,
  round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS "share %",
  max(strftime(coalesce(started, modified), '%Y-%m-%d')) AS "last seen"
FROM runs GROUP BY cause ORDER BY runs DESC, cause
