-- Findings by rule
-- In how many runs each rule found something, and in how many of these it is a root cause.
SELECT
  rule, count(*) AS runs, count(*) FILTER (role = 'root_cause') AS "root cause",
  max(title) AS title
FROM findings GROUP BY rule ORDER BY runs DESC, rule
