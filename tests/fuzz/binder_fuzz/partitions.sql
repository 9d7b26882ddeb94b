CREATE TABLE p (a INT, day_ DATE, s STRING) PARTITIONED BY (s, day_) WITH ('connector' = 'filesystem', 'path' = '/p', 'format' = 'csv');
INSERT INTO p PARTITION (s = 'x', day_) SELECT a, CAST(ts AS DATE) FROM t;
SELECT a FROM p WHERE s IN ('a', 'b') AND day_ >= DATE '2024-01-31' AND NOT (s = 'c') OR s IS NULL;
SHOW PARTITIONS p PARTITION (s = 'x');
CREATE TABLE q LIKE p (EXCLUDING PARTITIONS);
ALTER TABLE p DROP s;
