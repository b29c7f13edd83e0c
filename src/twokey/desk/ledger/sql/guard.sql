-- A balance's counters move only inside ledger_move, whoever asks, start from nothing, and stay within the limits, whatever
-- ledger_move itself would let through. (A trigger without a WHEN, and no CHECK: PostgreSQL reads the text of either anew
-- for every UPDATE, which costs a movement more than this function, whose plan it keeps. A limit that is null drops out of
-- LEAST. An IF within an IF, because the inner test is only set up where the outer one holds.)
CREATE OR REPLACE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- guard: only ledger_move
    IF current_setting('twokey.moving', true) IS DISTINCT FROM 'on' THEN
        IF (coalesce(OLD.units_reserved, 0), coalesce(OLD.units_drawn, 0), coalesce(OLD.value_reserved, 0),
            coalesce(OLD.value_drawn, 0), coalesce(OLD.uses_reserved, 0), coalesce(OLD.uses_drawn, 0))
           IS DISTINCT FROM
           (NEW.units_reserved, NEW.units_drawn, NEW.value_reserved, NEW.value_drawn, NEW.uses_reserved, NEW.uses_drawn)
        THEN
            RAISE EXCEPTION 'the counters of a balance move only through ledger_move' USING ERRCODE = 'TK403';
        END IF;
    END IF;
    -- guard: within the limits
    IF least(NEW.units_reserved, NEW.units_drawn, NEW.value_reserved, NEW.value_drawn, NEW.uses_reserved, NEW.uses_drawn,
             NEW.units_cap - NEW.units_reserved - NEW.units_drawn,
             NEW.value_cap + NEW.value_tolerance - NEW.value_reserved - NEW.value_drawn,
             NEW.uses_cap - NEW.uses_reserved - NEW.uses_drawn) < 0 THEN
        RAISE EXCEPTION 'balance % would leave its limits', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_within_limits';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER ledger_balance_guard BEFORE INSERT OR UPDATE ON ledger_balance
FOR EACH ROW EXECUTE FUNCTION ledger_guard();
