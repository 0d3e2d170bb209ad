//! The columns of a reservation as it was made, in one place: [`crate::reserved`] reads and writes them. `data` is
//! asked for only where it is wanted, as text.

/// The columns, for reading them from a table or its substitute.
macro_rules! reserved {
    ($table:literal) => {
        concat!(
            $table,
            ".buyer, ",
            $table,
            ".slot, ",
            $table,
            ".items, ",
            $table,
            ".expires_at_ms, ",
            $table,
            ".request"
        )
    };
}

/// The same columns of a rejection: the buyer, and nothing else.
macro_rules! reserved_of_rejection {
    () => {
        "rejections.buyer, NULL::smallint AS slot, NULL::jsonb AS items, NULL::bigint AS expires_at_ms, \
         NULL::text AS request"
    };
}

/// Their names, for writing them.
macro_rules! reserved_names {
    () => {
        "buyer, slot, items, expires_at_ms, request, data"
    };
}

/// The parameters that have them, after seven others.
macro_rules! reserved_arrays {
    () => {
        "$8::text[], $9::smallint[], $10::jsonb[], $11::bigint[], $12::text[], $13::json[]"
    };
}

pub(crate) use {reserved, reserved_arrays, reserved_names, reserved_of_rejection};
