-- +goose Up
-- Summaries that the search refused, out of the way of those in the outbox. They are tried again every few minutes: docs/shop.md says what to do.
-- Servers of the version before know nothing of this table, and may go on beside those that do.
CREATE TABLE outbox_refused (
    version          bigint      PRIMARY KEY,
    order_id         text        NOT NULL REFERENCES shop_order,
    reason           text        NOT NULL,
    refusals         int         NOT NULL DEFAULT 1,
    first_refused_at timestamptz NOT NULL DEFAULT now(),
    refused_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_refused_at ON outbox_refused (refused_at);

-- +goose Down
INSERT INTO outbox (version, order_id) OVERRIDING SYSTEM VALUE SELECT version, order_id FROM outbox_refused;
DROP TABLE outbox_refused;
