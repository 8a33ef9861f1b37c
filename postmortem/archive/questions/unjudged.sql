-- Not judged
-- Logs that could not be read, or broke the program, and why.
SELECT name, problem FROM runs WHERE problem IS NOT NULL ORDER BY name
