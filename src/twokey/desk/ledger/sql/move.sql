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
-- Written for speed where it reads oddly: each balance's UPDATE is small because setting a plan up costs more than
-- running it, what takes nothing new has one without limits, and the entries are arrays in the movement's row, so that a
-- movement is one insert.
CREATE OR REPLACE FUNCTION ledger_move(
    p_kind text, p_key text, p_digest text, p_of bigint,
    p_ids bigint[], p_units bigint[], p_values bigint[], p_uses bigint[],
    p_shipment bigint, p_actor text, p_reason text
) RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET twokey.moving = 'on' AS $$
DECLARE
    c_starts CONSTANT boolean := p_kind IN ('reserve', 'draw');             -- needs a balance in force
    c_adds CONSTANT boolean := p_kind IN ('reserve', 'adjust');             -- needs room under the limits
    c_resolves CONSTANT boolean := p_kind IN ('draw', 'void', 'expire');    -- ends a reservation
    c_held CONSTANT bigint := CASE WHEN c_resolves THEN -1 WHEN p_kind = 'reserve' THEN 1 ELSE 0 END;
    c_drawn CONSTANT bigint := CASE p_kind WHEN 'draw' THEN 1 WHEN 'adjust' THEN 1 WHEN 'return' THEN -1 ELSE 0 END;
    v_ids bigint[] := p_ids;
    v_units bigint[] := p_units;
    v_values bigint[] := p_values;
    v_uses bigint[] := p_uses;
    v_id bigint; v_unit bigint; v_value bigint; v_use bigint;
    v_row_closes timestamptz; v_units_cap bigint; v_units_now bigint; v_value_cap bigint; v_value_now bigint;
    v_closes timestamptz := 'infinity';
    v_now timestamptz;
    v_locked boolean := false;
    v_why text;
    v_answer bigint[] := '{0}';
    v_movement bigint;
    n int := 1;
BEGIN
    IF c_resolves THEN
        SELECT balances, units, value_minor, uses INTO v_ids, v_units, v_values, v_uses
          FROM ledger_movement WHERE id = p_of AND kind = 'reserve';
        IF v_ids IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = '[{"code": "no_reservation"}]';
        END IF;
    END IF;

    LOOP
        WHILE n <= cardinality(v_ids) LOOP
            v_id := v_ids[n]; v_unit := v_units[n]; v_value := v_values[n]; v_use := v_uses[n];
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
                RETURNING b.closes_at, b.units_cap, b.units_reserved + b.units_drawn,
                          b.value_cap, b.value_reserved + b.value_drawn
                     INTO v_row_closes, v_units_cap, v_units_now, v_value_cap, v_value_now;
            ELSE
                UPDATE ledger_balance b SET
                    units_reserved = b.units_reserved + c_held * v_unit, units_drawn = b.units_drawn + c_drawn * v_unit,
                    value_reserved = b.value_reserved + c_held * v_value, value_drawn = b.value_drawn + c_drawn * v_value,
                    uses_reserved = b.uses_reserved + c_held * v_use, uses_drawn = b.uses_drawn + c_drawn * v_use
                 WHERE b.id = v_id
                   -- guard: state and dates of what is drawn
                   AND (NOT c_starts OR (b.state = 'in_force' AND b.opens_at <= clock_timestamp()
                                         AND (b.closes_at IS NULL OR clock_timestamp() < b.closes_at)))
                RETURNING b.closes_at INTO v_row_closes;
            END IF;
            EXIT WHEN NOT FOUND;
            v_closes := least(v_closes, v_row_closes);
            -- guard: told where four fifths of a limit are used (divided first, so that no product leaves bigint)
            IF c_adds AND (v_units_now >= v_units_cap / 5 * 4 OR v_value_now >= v_value_cap / 5 * 4) THEN
                v_answer := v_answer || ARRAY[v_id, v_units_cap, v_units_now, v_unit,
                                              v_value_cap, v_value_now, v_value];
            END IF;
            n := n + 1;
        END LOOP;
        v_now := clock_timestamp();
        EXIT WHEN n > cardinality(v_ids) AND NOT (c_starts AND v_closes <= v_now);  -- a wait may have passed the end
        IF NOT v_locked THEN
            PERFORM 1 FROM ledger_balance WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
            v_locked := true;
        ELSE
            v_why := 'limits';
            EXIT;
        END IF;
    END LOOP;

    -- Asked under the locks of all balances: who returns the same thing twice meets the first one here. (Who resolves a
    -- reservation twice meets the unique index below; asked here only so that the reason comes before any other.)
    IF v_why IS NOT NULL AND c_resolves THEN
        IF EXISTS (SELECT 1 FROM ledger_movement WHERE of_id = p_of AND kind IN ('draw', 'void', 'expire')) THEN
            v_why := '[{"code": "already_resolved"}]';
        END IF;
    ELSIF p_kind = 'return' THEN
        IF EXISTS (
            SELECT 1
              FROM unnest(v_ids, v_units, v_values, v_uses) AS w(id, units, value, uses)
              LEFT JOIN (
                SELECT e.id, sum(s.sign * e.units) AS units, sum(s.sign * e.value) AS value, sum(s.sign * e.uses) AS uses
                  FROM ledger_movement m
                  JOIN (VALUES ('draw', 1), ('return', -1)) AS s(kind, sign) ON s.kind = m.kind
                  CROSS JOIN LATERAL unnest(m.balances, m.units, m.value_minor, m.uses) AS e(id, units, value, uses)
                 WHERE m.id = p_of AND m.kind = 'draw' OR m.of_id = p_of AND m.kind = 'return'
                 GROUP BY e.id) AS still USING (id)
             WHERE still.id IS NULL OR still.units < w.units OR still.value < w.value OR still.uses < w.uses) THEN
            v_why := '[{"code": "more_than_drawn"}]';
        END IF;
    END IF;

    IF v_why = 'limits' THEN  -- the rows before n are moved already; their numbers are taken back for the reasons
        SELECT jsonb_agg(jsonb_build_object('code', f.code, 'balance', b.id, 'label', b.label) ORDER BY b.id)::text
          INTO v_why
          FROM unnest(v_ids, v_units, v_values, v_uses) WITH ORDINALITY AS w(id, unit, value, use, place)
          JOIN ledger_balance b ON b.id = w.id
          CROSS JOIN LATERAL (SELECT CASE WHEN w.place < n THEN 1 ELSE 0 END AS moved) AS d
          CROSS JOIN LATERAL (SELECT
                b.units_reserved + b.units_drawn + (1 - d.moved) * w.unit AS units,
                b.value_reserved + b.value_drawn + (1 - d.moved) * w.value AS value,
                b.uses_reserved + b.uses_drawn + (1 - d.moved) * w.use AS uses) AS after
          CROSS JOIN LATERAL (VALUES
            ('not_in_force', c_starts AND b.state <> 'in_force'),
            ('not_yet_open', c_starts AND b.opens_at > v_now),
            ('expired', c_starts AND b.closes_at <= v_now),
            ('units_exhausted', c_adds AND after.units > b.units_cap),
            ('value_exhausted', c_adds AND after.value > b.value_cap
                + CASE WHEN b.units_cap IS NULL OR after.units - w.unit < b.units_cap THEN b.value_tolerance ELSE 0 END),
            ('uses_exhausted', c_adds AND after.uses > b.uses_cap)
          ) AS f(code, holds)
         WHERE f.holds;
        RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = coalesce(v_why, 'null');
    ELSIF v_why IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'TK409', MESSAGE = 'refused', DETAIL = v_why;
    END IF;

    INSERT INTO ledger_movement (kind, key, digest, of_id, shipment_id, actor, reason, at,
                                 balances, units, value_minor, uses)
    VALUES (p_kind, p_key, p_digest, p_of, p_shipment, p_actor, p_reason, v_now,
            v_ids, v_units, v_values, v_uses) RETURNING id INTO v_movement;
    v_answer[1] := v_movement;
    RETURN v_answer;
END $$;
