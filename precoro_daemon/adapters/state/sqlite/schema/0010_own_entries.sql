-- Payments that we made in the books are carried by the intents that made them.
CREATE INDEX claims_by_intent ON claims (intent) WHERE intent IS NOT NULL;

UPDATE claims SET intent = made.id, carried = CASE WHEN made.amount = claims.amount THEN claims.facts ELSE '' END
FROM intents AS made
WHERE claims.intent IS NULL AND claims.ours = made.id AND made.direction = 'to_ledger' AND made.state = 'confirmed';
