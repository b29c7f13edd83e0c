-- The one function that every door calls to move a balance.
--
-- p_ids, p_units, p_values, p_uses: the balances in the order of their ids, each once, and what is asked of each; for
-- draw, void and expire the amounts are those of the reservation p_of, and the arrays are null.
--
-- First the locks of all balances, once, in the order of their ids: two movements that share balances can then wait
-- for each other but never deadlock. Then one UPDATE that tests everything under those locks. Anything that does not
-- fit raises TK409 with the reasons as JSON, and the statement leaves no trace. A key that was used before fails on the
-- unique index; the caller then looks at what it did.
CREATE OR REPLACE FUNCTION ledger_move(
    p_kind text, p_key text, p_digest text, p_of bigint,
    p_ids bigint[], p_units bigint[], p_values bigint[], p_uses bigint[],
    p_shipment bigint, p_actor text, p_reason text
) RETURNS jsonb LANGUAGE plpgsql SET twokey.moving = 'on' SET plan_cache_mode = 'force_generic_plan' AS $$
DECLARE
    v_ids bigint[] := p_ids;
    v_units bigint[] := p_units;
    v_values bigint[] := p_values;
    v_uses bigint[] := p_uses;
    v_of ledger_movement%ROWTYPE;
    v_movement bigint;
    v_after jsonb;
    v_now timestamptz;
BEGIN
    IF p_kind IN ('draw', 'void', 'expire') THEN
        SELECT * INTO v_of FROM ledger_movement WHERE id = p_of;
        IF v_of.id IS NULL OR v_of.kind <> 'reserve' THEN
            RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = '[{"code": "no_reservation"}]';
        END IF;
        SELECT array_agg(balance_id ORDER BY balance_id), array_agg(units ORDER BY balance_id),
               array_agg(value_minor ORDER BY balance_id), array_agg(uses ORDER BY balance_id)
          INTO v_ids, v_units, v_values, v_uses FROM ledger_entry WHERE movement_id = p_of;
    END IF;

    PERFORM 1 FROM ledger_balance WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;

    IF p_kind IN ('draw', 'void', 'expire') THEN
        IF EXISTS (SELECT 1 FROM ledger_movement WHERE of_id = p_of AND kind IN ('draw', 'void', 'expire')) THEN
            RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = '[{"code": "already_resolved"}]';
        END IF;
    ELSIF p_kind = 'return' THEN
        IF EXISTS (
            SELECT 1
              FROM unnest(v_ids, v_units, v_values, v_uses) AS w(id, units, value, uses)
              LEFT JOIN ledger_entry d ON d.movement_id = p_of AND d.balance_id = w.id
              LEFT JOIN LATERAL (
                SELECT coalesce(sum(e.units), 0) AS units, coalesce(sum(e.value_minor), 0) AS value,
                       coalesce(sum(e.uses), 0) AS uses
                  FROM ledger_entry e JOIN ledger_movement m ON m.id = e.movement_id
                 WHERE m.of_id = p_of AND m.kind = 'return' AND e.balance_id = w.id) r ON true
             WHERE d.id IS NULL OR d.units < r.units + w.units OR d.value_minor < r.value + w.value
                OR d.uses < r.uses + w.uses) THEN
            RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = '[{"code": "more_than_drawn"}]';
        END IF;
    END IF;

    v_now := clock_timestamp();
    WITH wanted AS (SELECT * FROM unnest(v_ids, v_units, v_values, v_uses) AS w(id, units, value, uses)),
    moved AS (
        UPDATE ledger_balance b SET
            units_reserved = units_reserved + CASE p_kind WHEN 'reserve' THEN w.units
                WHEN 'draw' THEN -w.units WHEN 'void' THEN -w.units WHEN 'expire' THEN -w.units ELSE 0 END,
            value_reserved = value_reserved + CASE p_kind WHEN 'reserve' THEN w.value
                WHEN 'draw' THEN -w.value WHEN 'void' THEN -w.value WHEN 'expire' THEN -w.value ELSE 0 END,
            uses_reserved = uses_reserved + CASE p_kind WHEN 'reserve' THEN w.uses
                WHEN 'draw' THEN -w.uses WHEN 'void' THEN -w.uses WHEN 'expire' THEN -w.uses ELSE 0 END,
            units_drawn = units_drawn + CASE p_kind WHEN 'draw' THEN w.units
                WHEN 'return' THEN -w.units WHEN 'adjust' THEN w.units ELSE 0 END,
            value_drawn = value_drawn + CASE p_kind WHEN 'draw' THEN w.value
                WHEN 'return' THEN -w.value WHEN 'adjust' THEN w.value ELSE 0 END,
            uses_drawn = uses_drawn + CASE p_kind WHEN 'draw' THEN w.uses
                WHEN 'return' THEN -w.uses WHEN 'adjust' THEN w.uses ELSE 0 END
          FROM wanted w
         WHERE b.id = w.id
           -- guard: state and dates
           AND (p_kind NOT IN ('reserve', 'draw')
                OR (b.state = 'in_force' AND b.opens_at <= v_now AND (b.closes_at IS NULL OR v_now < b.closes_at)))
           -- guard: units
           AND (p_kind NOT IN ('reserve', 'adjust') OR b.units_cap IS NULL
                OR b.units_reserved + b.units_drawn + w.units <= b.units_cap)
           -- guard: value, with the tolerance while units remain
           AND (p_kind NOT IN ('reserve', 'adjust') OR b.value_cap IS NULL
                OR b.value_reserved + b.value_drawn + w.value <= b.value_cap
                   + CASE WHEN b.units_cap IS NULL OR b.units_reserved + b.units_drawn < b.units_cap
                          THEN b.value_tolerance ELSE 0 END)
           -- guard: uses
           AND (p_kind NOT IN ('reserve', 'adjust') OR b.uses_cap IS NULL
                OR b.uses_reserved + b.uses_drawn + w.uses <= b.uses_cap)
           -- guard: an adjustment takes back no more than was drawn
           AND (p_kind <> 'adjust' OR (b.units_drawn + w.units >= 0 AND b.value_drawn + w.value >= 0
                                       AND b.uses_drawn + w.uses >= 0))
        RETURNING b.id, b.units_cap, b.units_reserved + b.units_drawn AS units, w.units AS units_moved,
                  b.value_cap, b.value_reserved + b.value_drawn AS value, w.value AS value_moved)
    SELECT jsonb_agg(jsonb_build_array(id, units_cap, units, units_moved, value_cap, value, value_moved) ORDER BY id)
      INTO v_after FROM moved;

    IF coalesce(jsonb_array_length(v_after), 0) <> cardinality(v_ids) THEN
        -- The amounts of the rows above are already moved in this statement's view; RAISE takes them back. The rows
        -- that did not move are the reasons, and the locks make their numbers the true ones.
        RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = (
            SELECT jsonb_agg(jsonb_build_object('code', f.code, 'balance', b.id, 'label', b.label) ORDER BY b.id)::text
              FROM unnest(v_ids, v_units, v_values, v_uses) AS w(id, units, value, uses)
              JOIN ledger_balance b ON b.id = w.id
              CROSS JOIN LATERAL (VALUES
                ('not_in_force', p_kind IN ('reserve', 'draw') AND b.state <> 'in_force'),
                ('not_yet_open', p_kind IN ('reserve', 'draw') AND b.opens_at > v_now),
                ('expired', p_kind IN ('reserve', 'draw') AND b.closes_at <= v_now),
                ('units_exhausted', b.units_reserved + b.units_drawn + w.units > b.units_cap),
                ('value_exhausted', b.value_reserved + b.value_drawn + w.value > b.value_cap
                    + CASE WHEN b.units_cap IS NULL OR b.units_reserved + b.units_drawn < b.units_cap
                           THEN b.value_tolerance ELSE 0 END),
                ('uses_exhausted', b.uses_reserved + b.uses_drawn + w.uses > b.uses_cap),
                ('more_than_drawn', p_kind = 'adjust' AND (b.units_drawn + w.units < 0 OR b.value_drawn + w.value < 0
                    OR b.uses_drawn + w.uses < 0))
              ) AS f(code, holds)
             WHERE f.holds AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(v_after) a WHERE (a->>0)::bigint = b.id));
    END IF;

    INSERT INTO ledger_movement (kind, key, digest, of_id, shipment_id, actor, reason, at)
    VALUES (p_kind, p_key, p_digest, p_of, p_shipment, p_actor, p_reason, v_now) RETURNING id INTO v_movement;
    INSERT INTO ledger_entry (movement_id, balance_id, units, value_minor, uses)
    SELECT v_movement, w.id, w.units, w.value, w.uses
      FROM unnest(v_ids, v_units, v_values, v_uses) AS w(id, units, value, uses);
    RETURN jsonb_build_object('movement', v_movement, 'repeated', false, 'balances', v_after);
END $$;
