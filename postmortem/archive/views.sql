-- What an archive can be asked. `part` is the folder that holds a row; the newest judgement of a place counts.

-- a place whose files have changed, or were judged anew, counts as it was met last
CREATE VIEW met AS
  SELECT place, run, passed_over, judged FROM seen
  QUALIFY row_number() OVER (PARTITION BY place ORDER BY judged DESC, part) = 1;

-- each content once, however many copies of it there are
CREATE VIEW current_kept AS
  SELECT * FROM kept WHERE run IN (SELECT run FROM met WHERE run IS NOT NULL)
  QUALIFY row_number() OVER (PARTITION BY run ORDER BY judged DESC, part) = 1;

-- logs of runs; a scheduler's tables tell of jobs and are no runs
CREATE VIEW runs AS SELECT * EXCLUDE (accounts, part, key) FROM current_kept WHERE NOT accounts;

CREATE VIEW findings AS
  SELECT all_findings.* EXCLUDE (part) FROM all_findings SEMI JOIN current_kept USING (run, part)
  WHERE run IN (SELECT run FROM runs);
CREATE VIEW verdicts AS
  SELECT all_verdicts.* EXCLUDE (part) FROM all_verdicts SEMI JOIN current_kept USING (run, part)
  WHERE run IN (SELECT run FROM runs);
CREATE VIEW metrics AS SELECT all_metrics.* EXCLUDE (part) FROM all_metrics SEMI JOIN current_kept USING (run, part);
CREATE VIEW tensors AS SELECT all_tensors.* EXCLUDE (part) FROM all_tensors SEMI JOIN current_kept USING (run, part);
CREATE VIEW events AS SELECT all_events.* EXCLUDE (part) FROM all_events SEMI JOIN current_kept USING (run, part);
CREATE VIEW settings AS SELECT all_settings.* EXCLUDE (part) FROM all_settings SEMI JOIN current_kept USING (run, part);
CREATE VIEW job_rows AS SELECT all_jobs.* EXCLUDE (part) FROM all_jobs SEMI JOIN current_kept USING (run, part);
CREATE VIEW run_jobs AS
  SELECT DISTINCT run, job FROM all_run_jobs WHERE run IN (SELECT run FROM runs);

-- a job, whoever tells of it: its log, or the scheduler's table; what is said of the job goes before its steps
CREATE VIEW jobs AS
  SELECT
    job,
    coalesce(max("user"), 'unknown') AS "user",
    coalesce(max("partition"), 'unknown') AS "partition",
    coalesce(last(state ORDER BY line) FILTER (step_id IS NULL AND state IS NOT NULL), last(state ORDER BY line)) AS state,
    min(try_cast("start" AS TIMESTAMP)) AS started,
    max(try_cast("end" AS TIMESTAMP)) AS ended,
    coalesce(
      max(elapsed_s) FILTER (step_id IS NULL),
      max(elapsed_s),
      epoch(max(try_cast("end" AS TIMESTAMP)) - min(try_cast("start" AS TIMESTAMP)))
    ) AS elapsed_s,
    max(gpus) AS gpus,
    max(nodes) AS nodes,
    coalesce(
      max(elapsed_s) FILTER (step_id IS NULL),
      max(elapsed_s),
      epoch(max(try_cast("end" AS TIMESTAMP)) - min(try_cast("start" AS TIMESTAMP)))
    ) * max(gpus) / 3600 AS gpu_hours
  FROM job_rows GROUP BY job;

CREATE VIEW run_nodes AS
  SELECT DISTINCT run, node FROM run_jobs JOIN all_job_nodes USING (job);

-- the hours of a job that wrote several logs are shared by them, so that none is counted twice
CREATE VIEW costs AS
  WITH shares AS (SELECT job, count(*) AS logs FROM run_jobs GROUP BY job)
  SELECT
    runs.run,
    sum(jobs.gpu_hours / shares.logs) AS gpu_hours,
    coalesce(max(jobs."user"), 'unknown') AS "user",
    coalesce(max(jobs."partition"), 'unknown') AS "partition",
    min(jobs.started) AS started
  FROM runs LEFT JOIN run_jobs USING (run) LEFT JOIN jobs USING (job) LEFT JOIN shares USING (job)
  GROUP BY runs.run;

-- ln of the number of ways to choose k of n
CREATE MACRO ln_choose(n, k) AS lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
-- P(X >= hits) where `drawn` of `total` are drawn without replacement, and `marked` of the total are marked
CREATE MACRO at_least_by_chance(hits, drawn, marked, total) AS list_sum(list_transform(
  range(hits, least(drawn, marked) + 1),
  lambda k: CASE WHEN drawn - k > total - marked THEN 0.0 ELSE
    exp(ln_choose(marked, k) + ln_choose(total - marked, drawn - k) - ln_choose(total, drawn)) END));
