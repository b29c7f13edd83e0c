-- Every balance whose counters differ from what its entries add up to. No rows: nothing is lost and nothing is made up.
SELECT b.id, b.label,
       b.units_reserved, coalesce(s.units_reserved, 0), b.units_drawn, coalesce(s.units_drawn, 0),
       b.value_reserved, coalesce(s.value_reserved, 0), b.value_drawn, coalesce(s.value_drawn, 0),
       b.uses_reserved, coalesce(s.uses_reserved, 0), b.uses_drawn, coalesce(s.uses_drawn, 0)
  FROM ledger_balance b
  LEFT JOIN (
    SELECT e.balance_id,
           sum(e.units * r.reserved) AS units_reserved, sum(e.units * r.drawn) AS units_drawn,
           sum(e.value * r.reserved) AS value_reserved, sum(e.value * r.drawn) AS value_drawn,
           sum(e.uses * r.reserved) AS uses_reserved, sum(e.uses * r.drawn) AS uses_drawn
      FROM ledger_movement m
      CROSS JOIN LATERAL unnest(m.balances, m.units, m.value_minor, m.uses) AS e(balance_id, units, value, uses)
      JOIN (VALUES ('reserve', 1, 0), ('draw', -1, 1), ('void', -1, 0), ('expire', -1, 0), ('return', 0, -1),
                   ('adjust', 0, 1)) AS r(kind, reserved, drawn) ON r.kind = m.kind
     GROUP BY e.balance_id) s ON s.balance_id = b.id
 WHERE (b.units_reserved, b.units_drawn, b.value_reserved, b.value_drawn, b.uses_reserved, b.uses_drawn)
    IS DISTINCT FROM (coalesce(s.units_reserved, 0), coalesce(s.units_drawn, 0), coalesce(s.value_reserved, 0),
                      coalesce(s.value_drawn, 0), coalesce(s.uses_reserved, 0), coalesce(s.uses_drawn, 0))
 ORDER BY b.id
