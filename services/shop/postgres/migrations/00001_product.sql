-- +goose Up
CREATE TABLE product (
    id          text   PRIMARY KEY COLLATE "C" CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    name        text   NOT NULL CHECK (name <> ''),
    description text   NOT NULL,
    price_cents bigint NOT NULL CHECK (price_cents >= 0),
    currency    text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    stock       bigint NOT NULL CHECK (stock >= 0),
    search      tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || description)) STORED
);
CREATE INDEX product_search ON product USING gin (search);

-- +goose Down
DROP TABLE product;
