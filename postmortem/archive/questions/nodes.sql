-- Nodes that failures share
-- How often so many failures of this node's runs, or more, would come about if failures fell on runs at random
-- (hypergeometric); `in any` is that for the least likely of all nodes that were looked at. Small numbers are suspicious,
-- and no proof: a node's jobs may be one user's.
WITH
  placed AS (SELECT node, run, failed FROM run_nodes JOIN runs USING (run) WHERE failed IS NOT NULL),
  all_placed AS (SELECT count(DISTINCT run) AS total, count(DISTINCT run) FILTER (failed) AS marked FROM placed),
  per_node AS (
    SELECT node, count(*) AS runs, count(*) FILTER (failed) AS failures FROM placed GROUP BY node
  ),
  judged AS (
    SELECT *, at_least_by_chance(failures, runs, marked, total) AS chance, count(*) OVER () AS nodes
    FROM per_node, all_placed
  )
SELECT
  node, runs, failures, round(1.0 * runs * marked / total, 1) AS expected,
  chance AS "by chance", least(1.0, chance * nodes) AS "in any"
FROM judged WHERE failures > 1 ORDER BY chance, node
