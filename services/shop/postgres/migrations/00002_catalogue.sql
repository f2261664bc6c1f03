-- +goose Up
INSERT INTO product (id, name, description, price_cents, currency, stock) VALUES
    ('aeropress',        'AeroPress',            'Press for one strong cup, with 350 paper filters.',      3990, 'EUR', 120),
    ('burr-grinder',     'Burr grinder',         'Steel burrs, 40 settings, 300 g hopper.',               12900, 'EUR',  35),
    ('cezve',            'Cezve',                'Copper pot for Turkish coffee, 250 ml.',                 2790, 'EUR',  60),
    ('chemex-6',         'Chemex, six cups',     'Glass carafe with a wooden collar.',                     4990, 'EUR',  44),
    ('cold-brew-tower',  'Cold brew tower',      'Slow drip tower for a litre a night.',                  18900, 'EUR',   8),
    ('cup-espresso',     'Espresso cup',         'Porcelain, 80 ml, thick walled.',                         690, 'EUR', 800),
    ('cup-latte',        'Latte cup',            'Porcelain, 300 ml.',                                      990, 'EUR', 640),
    ('descaler',         'Descaler',             'Citric acid, 500 g, for machines and kettles.',           790, 'EUR', 310),
    ('espresso-machine', 'Espresso machine',     'Single boiler, 58 mm group, 9 bar.',                    49900, 'EUR',  12),
    ('filter-paper-02',  'Filter paper 02',      'Unbleached, 100 sheets.',                                 590, 'EUR', 900),
    ('french-press',     'French press',         'Glass and steel, one litre.',                            3490, 'EUR',  75),
    ('gooseneck-kettle', 'Gooseneck kettle',     'Steel kettle with a thermometer, 900 ml.',               6490, 'EUR',  52),
    ('hand-mill',        'Hand mill',            'Travels well: 20 g of beans, steel burrs.',              7990, 'EUR',  40),
    ('milk-jug',         'Milk jug',             'Steel jug for steaming, 350 ml.',                        1890, 'EUR', 150),
    ('moka-pot',         'Moka pot',             'Aluminium, six cups.',                                   2990, 'EUR',  95),
    ('roast-ethiopia',   'Ethiopia, light roast','Beans, 250 g: jasmine and lemon.',                       1290, 'EUR', 260),
    ('roast-house',      'House roast',          'Beans, 1 kg: chocolate and nuts.',                       2490, 'EUR', 420),
    ('scale',            'Scale with a timer',   'To a tenth of a gram, up to 2 kg.',                      3790, 'EUR',  66),
    ('tamper-58',        'Tamper 58 mm',         'Steel base, ash handle.',                                2690, 'EUR',  58),
    ('v60-02',           'V60 dripper 02',       'Ceramic dripper for one to four cups.',                  2390, 'EUR', 130);

-- +goose Down
DELETE FROM product;
