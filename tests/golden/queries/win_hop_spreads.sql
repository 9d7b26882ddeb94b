SET 'execution.runtime-mode' = 'streaming';
CREATE TABLE orders (
  order_id INT, user_id INT, product STRING, amount INT, price DOUBLE, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${INPUT}/orders.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);

SELECT window_start, window_end, product, COLLECT(amount) AS amounts, COLLECT(DISTINCT user_id) AS users, STDDEV_POP(price) AS price_deviation, STDDEV_SAMP(price) FILTER (WHERE amount > 3) AS sample_deviation, VAR_SAMP(amount) AS amount_variance, VAR_POP(DISTINCT amount) AS distinct_variance, PERCENTILE(price, 0.3) AS price_30, PERCENTILE(price, ARRAY[0.1, 0.9], amount) AS weighted, JSON_OBJECTAGG(KEY CAST(order_id AS STRING) VALUE amount) AS orders_json FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, product;
