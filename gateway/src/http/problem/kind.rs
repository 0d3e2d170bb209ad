//! The one table of problems: everything that the API answers instead of what was asked for.

use hyper::StatusCode;

/// Whether the same request is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It gets the same answer.
    No,
    /// Not as it is.
    Changed,
    /// In a while.
    Later,
    /// At once, for nobody knows whether it was done.
    ToLearn,
    /// By somebody who has looked how things stand.
    Judged,
}

impl Again {
    /// What to do, in a sentence.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::No => "No: the same request gets the same answer, as long as nothing else changes.",
            Self::Changed => "Not as it is: put right what the answer names, and send it again.",
            Self::Later => {
                "Yes: nothing was changed. Send it again; where there is a Retry-After, after as many seconds."
            }
            Self::ToLearn => {
                "Yes: send the same request again, with the same Idempotency-Key if it had one. It is not done twice, \
                 and gets its one true answer. But a restock without a key, a new API key and a new webhook are done again: \
                 look first how things are."
            }
            Self::Judged => {
                "Perhaps: look first how things stand. It may have been done, in part or altogether, and would be done again."
            }
        }
    }
}

/// A problem's row in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Is stable, and ends the problem's `type`.
    pub(crate) slug: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) again: Again,
    pub(crate) title: &'static str,
    /// What it means to whoever meets it.
    pub(crate) meaning: &'static str,
}

/// A line of the table is all that there is of a problem: none can lack a status, an advice or a meaning.
macro_rules! problems {
    ($($kind:ident $slug:literal $status:ident $again:ident $title:literal $meaning:literal;)*) => {
        /// Which problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// All of them, in the order of the table.
            pub(crate) const ALL: [Self; [$($slug),*].len()] = [$(Self::$kind),*];

            /// Its row.
            pub(crate) const fn row(self) -> Row {
                match self {
                    $(Self::$kind => Row {
                        slug: $slug,
                        status: StatusCode::$status,
                        again: Again::$again,
                        title: $title,
                        meaning: $meaning,
                    },)*
                }
            }
        }
    };
}

problems! {
    BadRequest "bad-request" BAD_REQUEST Changed "The request cannot be read"
        "A header or the query breaks its rule, which the detail names, or the body ended before its end.";
    Malformed "malformed" BAD_REQUEST Changed "The body is not a JSON object"
        "The body must be one JSON object in UTF-8. The detail says where it ceases to be one.";
    Unauthenticated "unauthenticated" UNAUTHORIZED Changed "Who calls is not known"
        "Authorization must be Bearer and a token or a key that is good. The detail says what is wrong with this one.";
    Forbidden "forbidden" FORBIDDEN Changed "Whoever calls may not do this"
        "The token or key is good, but for something else: buyers and operators have keys of their own, and a key to \
         read changes nothing.";
    ForeignPage "foreign-page" FORBIDDEN No "A page of another site may change nothing here"
        "The request comes from a page in a browser that is not this host's. Where no key is asked for, only this host's own \
         pages, and programs, may change anything.";
    Misdirected "misdirected" MISDIRECTED_REQUEST Changed "This host is not served here"
        "Where no key is asked for, a gateway serves localhost, the address that it listens on, and the hosts of --hosts. The \
         header Host names another one.";
    NotFound "not-found" NOT_FOUND No "There is nothing at this path"
        "No route has this path, or what it leads to does not exist. What is the operators' is not there for buyers.";
    UnknownSale "unknown-sale" NOT_FOUND No "There is no such sale"
        "None was created. One that was asked for before it was created may be unknown for some seconds more.";
    UnknownReservation "unknown-reservation" NOT_FOUND No "There is no such reservation"
        "There is none of this id, or it is somebody else's: both get the same answer. An id is taken as \
         it was answered, with all that stands behind its number.";
    UnknownWebhook "unknown-webhook" NOT_FOUND No "There is no such webhook"
        "None has this id, or it is removed already.";
    UnknownKey "unknown-key" NOT_FOUND No "There is no such API key"
        "No key has this id. The id is the key without its last part, which is secret.";
    UnknownProduct "unknown-product" NOT_FOUND No "There is no such product"
        "None was created. One that was asked for before it was created may be unknown for some seconds more.";
    UnknownPayment "unknown-payment" NOT_FOUND No "There is no such payment"
        "None has this number.";
    UnknownBuyer "unknown-buyer" NOT_FOUND No "This buyer has no account"
        "Nobody opened one. To reserve takes none; to pay from a balance does.";
    UnknownQuarantined "unknown-quarantined" NOT_FOUND No "There is no such row in the quarantine"
        "None has this number. One that was replayed or discarded is still shown, and is not replayed or discarded again.";
    UnknownSimulation "unknown-simulation" NOT_FOUND No "There is no such simulation"
        "None has this id, or it was so long ago that it is forgotten.";
    UnknownFault "unknown-fault" NOT_FOUND No "There is no such fault"
        "None of this name can be made here.";
    UnknownProblem "unknown-problem" NOT_FOUND No "There is no such problem"
        "No problem's type ends so.";
    // Not a conflict: the request is in order, and the same again is right once there is money.
    InsufficientBalance "insufficient-balance" PAYMENT_REQUIRED No "The buyer's balance is too low"
        "The reservation costs more than the buyer has in its currency. Nothing was taken, and the hold goes on.";
    NoAccount "no-account" PAYMENT_REQUIRED No "The buyer has no account"
        "To pay from a balance takes an account, and nobody opened one. Nothing was taken, and the hold goes on.";
    OtherCurrency "other-currency" PAYMENT_REQUIRED No "The buyer's balance is in another currency"
        "The detail names the currency of the balance and that of the price. Nothing was taken, and the hold goes on.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED Changed "This path has other methods"
        "Allow lists those that it has.";
    BodyTimeout "body-timeout" REQUEST_TIMEOUT Later "The body took too long"
        "The body did not arrive soon enough behind its headers.";
    SoldOut "sold-out" CONFLICT No "Not enough units are available"
        "Units may come back while the sale lasts: when a hold expires or is released, or the sale is restocked. Live \
         stock tells.";
    LimitExceeded "limit-exceeded" CONFLICT No "The buyer would have more than the limit"
        "What the buyer has already and asks for is more than the sale allows one buyer, or is in too many \
         reservations.";
    NotStarted "not-started" CONFLICT Later "The sale has not opened yet"
        "The detail says when it opens, and Retry-After how long that is, up to a day.";
    Closed "closed" CONFLICT No "The sale is closed"
        "An operator has stopped it, and may open it again. Holds may still be paid for.";
    Conflict "conflict" CONFLICT No "This contradicts what was asked for before"
        "A reservation that was confirmed cannot be released, nor the other way; units that somebody has cannot be \
         taken off sale; what is open cannot be opened, nor what is closed be closed; what is paid for cannot be paid \
         for otherwise; a reference is one payment's, and stays what it was reported to be.";
    RefundDue "refund-due" CONFLICT No "The payment is recorded, and is to be paid back"
        "It cannot pay for the reservation: it came late, is a second one, names no reservation, or is not what the \
         reservation costs. The detail says which, and the payment's number. Once it is paid back, report that.";
    SaleDiffers "sale-differs" CONFLICT Changed "There is a sale of this id with other terms"
        "A sale's terms do not change. Choose another id, or restock the sale that there is.";
    TooManyWebhooks "too-many-webhooks" CONFLICT Changed "There are as many webhooks as there may be"
        "Remove one first.";
    ProductDiffers "product-differs" CONFLICT Changed "There is another product of this id"
        "A product does not change. Choose another id.";
    BuyerDiffers "buyer-differs" CONFLICT Changed "The buyer has an account that was opened otherwise"
        "With another balance or in another currency.";
    SimulationRuns "simulation-runs" CONFLICT No "Another simulation runs"
        "There is one at a time, or they would measure each other. The detail says which one runs.";
    NothingToHit "nothing-to-hit" CONFLICT Changed "There is nothing now that the fault would hit"
        "No simulation runs, or what the fault stops is stopped already. Nothing was done.";
    Ended "ended" GONE No "The sale is over"
        "It has closed for good: its time is up.";
    Expired "expired" GONE No "The hold has expired"
        "It was not paid for in time, and its units are available again. The buyer may reserve anew.";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE Changed "The body is too large"
        "The detail says how large it may be.";
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE Changed "The body must be application/json"
        "Content-Type must say so, and where no key is asked for, also of a change without a body; there the header \
         Flash-Request, with any value, does instead. A Content-Encoding is not taken: Accept-Encoding says so.";
    Invalid "invalid" UNPROCESSABLE_ENTITY Changed "A field breaks its rule"
        "Each of the errors has a JSON pointer to the field, and the rule. There may be more of them than are told.";
    KeyReused "key-reused" UNPROCESSABLE_ENTITY Changed "This Idempotency-Key came with another request before"
        "A key is one request's own. Make a new one for a new wish.";
    RateLimited "rate-limited" TOO_MANY_REQUESTS Later "Too many requests"
        "The policies that refuse stand in the detail. RateLimit and RateLimit-Policy say how each one stands.";
    Internal "internal" INTERNAL_SERVER_ERROR No "The gateway failed"
        "A mistake of ours or of whoever operates this; the gateway's log has it.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE Later "Too many requests at once"
        "This gateway has its hands full, or is about to stop. What it took on is quick because this was refused.";
    RedisAway "redis-away" SERVICE_UNAVAILABLE Later "Redis is away, or refuses: nothing was changed"
        "Redis decides everything about a sale. It is restarting, out of reach, or out of memory.";
    PostgresAway "postgres-away" SERVICE_UNAVAILABLE Later "PostgreSQL is away"
        "Sales that this gateway knows go on; what only PostgreSQL knows has to wait.";
    PostgresReadOnly "postgres-read-only" SERVICE_UNAVAILABLE Later "PostgreSQL is read-only"
        "It is a standby, or its settings forbid writes. It can be read, and sales that this gateway knows go on; what \
         only PostgreSQL keeps cannot be changed until it takes writes again.";
    Fenced "fenced" SERVICE_UNAVAILABLE Later "The sale is being checked"
        "Redis was restarted or replaced, and the sale sells nothing until it is known to be whole: some seconds.";
    JournalFull "journal-full" SERVICE_UNAVAILABLE Later "The sale waits for its orders to be written"
        "As many events as the sale's journal takes are not in PostgreSQL yet.";
    DurabilityUnavailable "durability-unavailable" SERVICE_UNAVAILABLE Later
        "Redis cannot give the durability that is wanted"
        "Nothing was reserved. The detail says what Redis lacks; the header Flash-Durability may ask for less.";
    FaultFailed "fault-failed" SERVICE_UNAVAILABLE Judged "The fault was not made as it is meant"
        "The detail says what happened instead. A server may have been hit all the same.";
    TimedOut "timed-out" GATEWAY_TIMEOUT Later "The answer took too long"
        "Nothing was to be changed.";
    OutcomeUnknown "outcome-unknown" GATEWAY_TIMEOUT ToLearn "Whether it was done is not known"
        "No answer came in time. It is no refusal: it may stand.";
    DurabilityShort "durability-short" GATEWAY_TIMEOUT ToLearn "It may stand with less durability than is wanted"
        "It was done, but not as many disks or replicas as wanted have told in time that they have it.";
}

impl Kind {
    /// The slug, which is stable.
    pub(crate) const fn slug(self) -> &'static str {
        self.row().slug
    }

    /// The problem whose `type` ends so.
    pub(crate) fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// What its `type` is, which is also where it is explained.
    pub(crate) fn path(self) -> String {
        format!("/problems/{}", self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_found_by_a_slug_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_slug(kind.slug()), Some(kind));
        }
        assert_eq!(Kind::of_slug("no-problem"), None);
    }

    #[test]
    fn whoever_is_told_to_come_back_later_is_told_when_or_has_asked_to_look() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.row().again != Again::Judged) {
            let row = kind.row();
            let waits = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&row.status);
            let later = waits || [Kind::NotStarted, Kind::TimedOut, Kind::BodyTimeout].contains(&kind);
            assert_eq!(row.again == Again::Later, later, "{kind:?}");
        }
    }
}
