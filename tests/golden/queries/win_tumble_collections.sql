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

SELECT window_start, window_end, product, ARRAY_AGG(amount) AS amounts, ARRAY_AGG(DISTINCT user_id) AS users, ARRAY_AGG(price IGNORE NULLS) AS prices, ARRAY_AGG(amount) FILTER (WHERE amount > 5) AS large_ones, FIRST_VALUE(price) AS first_price, LAST_VALUE(order_id) AS last_order, VAR_POP(price) AS variance, JSON_ARRAYAGG(product NULL ON NULL) AS products, JSON_ARRAYAGG(JSON_OBJECT('p' VALUE price)) AS objects, JSON_OBJECTAGG(KEY CAST(order_id AS STRING) VALUE product ABSENT ON NULL) AS by_order FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, product;
