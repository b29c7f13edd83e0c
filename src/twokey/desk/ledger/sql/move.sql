-- The one function that every door calls to move a balance. Answers the movement's id; for reserve and adjust followed by
-- seven numbers for each balance that is four fifths used: its id, units cap, units used, units moved, value cap, value
-- used, value moved.
--
-- p_ids, p_units, p_values, p_uses: the balances in the order of their ids, each once, and what is asked of each; for
-- draw, void and expire the amounts are those of the reservation p_of, and the arrays are null.
--
-- One UPDATE a balance, in the order of the ids: each tests everything and takes the row's lock, so two movements that
-- share balances can wait for each other but never deadlock. A row that did not fit at first sight is only refused after
-- a second look under the locks of all. Anything that does not fit raises TK409 with the reasons as JSON, and the
-- statement leaves no trace. A key that was used before fails on the unique index; the caller then looks at what it did.
-- Taking back what is not there fails too: on the index that resolves a reservation once, or on the guard of the counters.
--
-- It runs with the rights of its owner, because the desk's own role may write neither counters nor movements; pg_temp
-- stands last in the path so that no table of the caller's can take the place of one of ours.
--
-- Written for speed where it reads oddly. Setting a statement or an expression up costs more than running it, and is paid in
-- every transaction: so each balance's UPDATE is small, what takes nothing new has one without limits, what an UPDATE can
-- hand back is not computed after it, the refusal is a function of its own, and the entries are arrays in the movement's
-- row, so that a movement is one insert.
CREATE OR REPLACE FUNCTION ledger_move(
    p_kind text, p_key text, p_digest text, p_of bigint,
    p_ids bigint[], p_units bigint[], p_values bigint[], p_uses bigint[],
    p_shipment bigint, p_actor text, p_reason text
) RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET twokey.moving = 'on' AS $$
DECLARE
    c_starts CONSTANT boolean := p_kind IN ('reserve', 'draw');             -- needs a balance in force
    c_adds CONSTANT boolean := p_kind IN ('reserve', 'adjust');             -- needs room under the limits
    c_held CONSTANT bigint := CASE p_kind WHEN 'reserve' THEN 1 WHEN 'adjust' THEN 0 WHEN 'return' THEN 0 ELSE -1 END;
    c_drawn CONSTANT bigint := CASE p_kind WHEN 'draw' THEN 1 WHEN 'adjust' THEN 1 WHEN 'return' THEN -1 ELSE 0 END;
    v_id bigint; v_unit bigint; v_value bigint; v_use bigint;
    v_units_cap bigint; v_units_now bigint; v_value_cap bigint; v_value_now bigint;
    v_closes timestamptz;  -- when the first of the balances ends
    v_locked boolean;
    v_used bigint[];
    v_movement bigint;
    v_now timestamptz;
BEGIN
    IF p_kind IN ('draw', 'void', 'expire') THEN  -- ends a reservation
        SELECT balances, units, value_minor, uses INTO p_ids, p_units, p_values, p_uses
          FROM ledger_movement WHERE id = p_of AND kind = 'reserve';
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = '[{"code": "no_reservation"}]';
        END IF;
    END IF;

    FOR n IN 1..cardinality(p_ids) LOOP
        v_id := p_ids[n]; v_unit := p_units[n]; v_value := p_values[n]; v_use := p_uses[n];
        LOOP
            IF c_adds THEN
                UPDATE ledger_balance b SET
                    units_reserved = b.units_reserved + c_held * v_unit, units_drawn = b.units_drawn + c_drawn * v_unit,
                    value_reserved = b.value_reserved + c_held * v_value, value_drawn = b.value_drawn + c_drawn * v_value,
                    uses_reserved = b.uses_reserved + c_held * v_use, uses_drawn = b.uses_drawn + c_drawn * v_use
                 WHERE b.id = v_id
                   -- guard: state and dates of what is reserved
                   AND (NOT c_starts OR (b.state = 'in_force' AND b.opens_at <= clock_timestamp()
                                         AND (b.closes_at IS NULL OR clock_timestamp() < b.closes_at)))
                   -- guard: units
                   AND (b.units_cap IS NULL OR b.units_reserved + b.units_drawn + v_unit <= b.units_cap)
                   -- guard: value, with the tolerance while units remain
                   AND (b.value_cap IS NULL OR b.value_reserved + b.value_drawn + v_value <= b.value_cap
                        + CASE WHEN b.units_cap IS NULL OR b.units_reserved + b.units_drawn < b.units_cap
                               THEN b.value_tolerance ELSE 0 END)
                   -- guard: uses
                   AND (b.uses_cap IS NULL OR b.uses_reserved + b.uses_drawn + v_use <= b.uses_cap)
                RETURNING least(v_closes, b.closes_at), b.units_cap, b.units_reserved + b.units_drawn,
                          b.value_cap, b.value_reserved + b.value_drawn
                     INTO v_closes, v_units_cap, v_units_now, v_value_cap, v_value_now;
                -- guard: told where four fifths of a limit are used (divided first, so that no product leaves bigint)
                IF v_units_now >= v_units_cap / 5 * 4 OR v_value_now >= v_value_cap / 5 * 4 THEN
                    v_used := v_used || ARRAY[v_id, v_units_cap, v_units_now, v_unit,
                                              v_value_cap, v_value_now, v_value];
                END IF;
            ELSE
                UPDATE ledger_balance b SET
                    units_reserved = b.units_reserved + c_held * v_unit, units_drawn = b.units_drawn + c_drawn * v_unit,
                    value_reserved = b.value_reserved + c_held * v_value, value_drawn = b.value_drawn + c_drawn * v_value,
                    uses_reserved = b.uses_reserved + c_held * v_use, uses_drawn = b.uses_drawn + c_drawn * v_use
                 WHERE b.id = v_id
                   -- guard: state and dates of what is drawn
                   AND (NOT c_starts OR (b.state = 'in_force' AND b.opens_at <= clock_timestamp()
                                         AND (b.closes_at IS NULL OR clock_timestamp() < b.closes_at)))
                RETURNING least(v_closes, b.closes_at) INTO v_closes;
            END IF;
            EXIT WHEN FOUND;
            IF v_locked THEN
                PERFORM ledger_refuse(p_kind, p_of, p_ids, p_units, p_values, p_uses, n, clock_timestamp());
            END IF;
            -- an UPDATE that found no row has taken `v_closes` away: it is read again, of all that are locked here
            SELECT min(each.closes_at) INTO v_closes
              FROM (SELECT closes_at FROM ledger_balance WHERE id = ANY (p_ids) ORDER BY id FOR UPDATE) AS each;
            v_locked := true;
        END LOOP;
    END LOOP;

    IF p_kind = 'return' THEN  -- asked under the locks: who returns the same thing twice meets the first one here
        IF EXISTS (
            SELECT 1
              FROM unnest(p_ids, p_units, p_values, p_uses) AS w(id, units, value, uses)
              LEFT JOIN (
                SELECT e.id, sum(s.sign * e.units) AS units, sum(s.sign * e.value) AS value, sum(s.sign * e.uses) AS uses
                  FROM ledger_movement m
                  JOIN (VALUES ('draw', 1), ('return', -1)) AS s(kind, sign) ON s.kind = m.kind
                  CROSS JOIN LATERAL unnest(m.balances, m.units, m.value_minor, m.uses) AS e(id, units, value, uses)
                 WHERE m.id = p_of AND m.kind = 'draw' OR m.of_id = p_of AND m.kind = 'return'
                 GROUP BY e.id) AS still USING (id)
             WHERE still.id IS NULL OR still.units < w.units OR still.value < w.value OR still.uses < w.uses) THEN
            RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = '[{"code": "more_than_drawn"}]';
        END IF;
    END IF;

    INSERT INTO ledger_movement (kind, key, digest, of_id, shipment_id, actor, reason, at,
                                 balances, units, value_minor, uses)
    VALUES (p_kind, p_key, p_digest, p_of, p_shipment, p_actor, p_reason, clock_timestamp(),
            p_ids, p_units, p_values, p_uses) RETURNING id, at INTO v_movement, v_now;
    -- guard: a wait for the last balance may have passed the end of the first
    IF v_closes <= v_now AND c_starts THEN
        PERFORM ledger_refuse(p_kind, p_of, p_ids, p_units, p_values, p_uses, cardinality(p_ids) + 1, v_now);
    END IF;
    RETURN v_movement || v_used;
END $$;

-- Raise TK409 with the reasons why a movement does not fit, of every balance. Those before `p_place` have moved already:
-- their numbers are taken back for the reasons. Who resolves a reservation twice hears that before anything else (asked only
-- while a balance is still to be moved: after the last one the movement itself is in the table, and the unique index has
-- been asked).
CREATE OR REPLACE FUNCTION ledger_refuse(
    p_kind text, p_of bigint, p_ids bigint[], p_units bigint[], p_values bigint[], p_uses bigint[],
    p_place bigint, p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_why text;
BEGIN
    IF p_kind IN ('draw', 'void', 'expire') AND EXISTS (
        SELECT 1 FROM ledger_movement
         WHERE of_id = p_of AND kind IN ('draw', 'void', 'expire') AND p_place <= cardinality(p_ids)) THEN
        v_why := '[{"code": "already_resolved"}]';
    ELSE
        SELECT jsonb_agg(jsonb_build_object('code', f.code, 'balance', b.id, 'label', b.label) ORDER BY b.id)::text
          INTO v_why
          FROM unnest(p_ids, p_units, p_values, p_uses) WITH ORDINALITY AS w(id, unit, value, use, place)
          JOIN ledger_balance b ON b.id = w.id
          CROSS JOIN LATERAL (SELECT CASE WHEN w.place < p_place THEN 1 ELSE 0 END AS moved) AS d
          CROSS JOIN LATERAL (SELECT
                b.units_reserved + b.units_drawn + (1 - d.moved) * w.unit AS units,
                b.value_reserved + b.value_drawn + (1 - d.moved) * w.value AS value,
                b.uses_reserved + b.uses_drawn + (1 - d.moved) * w.use AS uses) AS after
          CROSS JOIN LATERAL (VALUES
            ('not_in_force', p_kind IN ('reserve', 'draw') AND b.state <> 'in_force'),
            ('not_yet_open', p_kind IN ('reserve', 'draw') AND b.opens_at > p_now),
            ('expired', p_kind IN ('reserve', 'draw') AND b.closes_at <= p_now),
            ('units_exhausted', p_kind IN ('reserve', 'adjust') AND after.units > b.units_cap),
            ('value_exhausted', p_kind IN ('reserve', 'adjust') AND after.value > b.value_cap
                + CASE WHEN b.units_cap IS NULL OR after.units - w.unit < b.units_cap THEN b.value_tolerance ELSE 0 END),
            ('uses_exhausted', p_kind IN ('reserve', 'adjust') AND after.uses > b.uses_cap)
          ) AS f(code, holds)
         WHERE f.holds;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = coalesce(v_why, 'null');
END $$;
