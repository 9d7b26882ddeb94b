SELECT r.*, t.r.y.z, CASE a WHEN 1, 2 THEN 'x' ELSE s END, CAST(d AS STRING), a IN (1, 2, NULL), pt FROM t /*+ OPTIONS('scan.parallelism'='2') */ AS t;
