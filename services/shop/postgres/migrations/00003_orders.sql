-- +goose Up
-- An order is a record of what was agreed on: it is written once and read whole, so its items stay in one document.
CREATE TABLE shop_order (
    id         text        PRIMARY KEY COLLATE "C",
    status     text        NOT NULL CHECK (status IN ('accepted', 'rejected')),
    reason     text        NOT NULL CHECK ((reason = '') = (status = 'accepted')),
    items      jsonb       NOT NULL CHECK (jsonb_typeof(items) = 'array'),
    placed_at  timestamptz NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX shop_order_placed_at ON shop_order (placed_at);

-- Who used an idempotency key first. It outlives the cache, so that a repetition is recognised for as long as orders are kept.
CREATE TABLE claim (
    key_hash text PRIMARY KEY COLLATE "C",
    order_id text NOT NULL
);

-- Orders whose summary the search does not have yet. The version is that of the summary's document.
CREATE TABLE outbox (
    version  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text   NOT NULL REFERENCES shop_order
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The stock of a product changes with each order: room in its page lets the change stay there, without touching an index.
ALTER TABLE product SET (fillfactor = 70);

-- +goose Down
ALTER TABLE product RESET (fillfactor);
DROP TABLE outbox;
DROP TABLE claim;
DROP TABLE shop_order;
