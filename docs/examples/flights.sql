-- The main job: what happened at New York's airports in 2013, as a live system would have seen it.
-- ${DATA}: where tools/fetch_flights wrote; ${RESULTS}: where the result files go; ${RATE}: rows a second.
SET 'pipeline.name' = 'flights of 2013';

CREATE TABLE flights (
  `year` INT, `month` INT, `day` INT,
  dep_time INT, sched_dep_time INT, dep_delay INT,
  arr_time INT, sched_arr_time INT, arr_delay INT,
  carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING,
  air_time INT, distance INT, `hour` INT, `minute` INT, time_hour STRING,
  -- Scheduled departure in New York local time: 2013, 1, 31, 515 -> 201301310515.
  departure AS TO_TIMESTAMP(
    CAST(`year` * CAST(100000000 AS BIGINT) + `month` * 1000000 + `day` * 10000 + sched_dep_time AS STRING),
    'yyyyMMddHHmm'),
  WATERMARK FOR departure AS departure - INTERVAL '3' HOUR
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/flights.csv',
  'format' = 'csv',
  'csv.header' = 'match',
  'csv.null-literal' = 'NA',
  'scan.rows-per-second' = '${RATE}'
);

CREATE TABLE hourly_departures (
  window_start TIMESTAMP(3), window_end TIMESTAMP(3), origin STRING, carrier STRING,
  departures BIGINT, mean_delay DOUBLE, worst_delay INT
) WITH ('connector' = 'filesystem', 'path' = '${RESULTS}/hourly_departures', 'format' = 'csv');

CREATE TABLE late_flights (
  window_start TIMESTAMP(3), window_end TIMESTAMP(3), origin STRING, flights BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${RESULTS}/late_flights', 'format' = 'csv');

CREATE TABLE alerts (
  departure TIMESTAMP(3), carrier STRING, flight INT, origin STRING, dest STRING, delay_minutes INT
) WITH ('connector' = 'filesystem', 'path' = '${RESULTS}/alerts', 'format' = 'csv');

-- The newest results of the three-hour window, for people to watch.
CREATE TABLE newest (
  window_start TIMESTAMP(3), window_end TIMESTAMP(3), origin STRING, late_flights BIGINT
) WITH ('connector' = 'print', 'print-identifier' = 'late flights');

CREATE VIEW late_by_origin AS
SELECT window_start, window_end, origin, COUNT(*) AS late_flights
FROM TABLE(HOP(TABLE flights, DESCRIPTOR(departure), INTERVAL '15' MINUTE, INTERVAL '3' HOUR))
WHERE dep_delay > 60
GROUP BY window_start, window_end, origin;

EXECUTE STATEMENT SET BEGIN
  -- Departures, mean and worst delay, by hour, airport and airline.
  INSERT INTO hourly_departures
  SELECT window_start, window_end, origin, carrier, COUNT(*), AVG(CAST(dep_delay AS DOUBLE)), MAX(dep_delay)
  FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(departure), INTERVAL '1' HOUR))
  GROUP BY window_start, window_end, origin, carrier;

  -- Flights that left more than an hour late within three hours, every 15 minutes, by airport.
  INSERT INTO late_flights SELECT * FROM late_by_origin;
  INSERT INTO newest SELECT * FROM late_by_origin;

  -- Every flight that left more than three hours late.
  INSERT INTO alerts
  SELECT departure, carrier, flight, origin, dest, dep_delay FROM flights WHERE dep_delay > 180;
END;
