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
    /// At once, because the outcome is unknown.
    ToLearn,
    /// After a person has checked the current state.
    Judged,
}

impl Again {
    /// What to do, in a sentence.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::No => "No: the same request gets the same answer until something else changes.",
            Self::Changed => "Not unchanged: correct what the answer names, and send the request again.",
            Self::Later => {
                "Yes: nothing was changed. Send the request again, after the seconds of Retry-After if it is \
                 given."
            }
            Self::ToLearn => {
                "Yes: send the same request again, with the same Idempotency-Key if it had one. It takes effect once, \
                 and you get its real outcome. Exceptions: a restock without a key, a new API key and a new webhook \
                 would be done twice, so check the current state first."
            }
            Self::Judged => {
                "Perhaps: check the current state first. It may be done in part or in full, and would be \
                 done again."
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
    /// What it means to the client.
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
    BadRequest "bad-request" BAD_REQUEST Changed "Bad request"
        "A header or a query parameter is invalid, or the body ended early. The detail names the fault.";
    Malformed "malformed" BAD_REQUEST Changed "The body is not a JSON object"
        "The body must be one JSON object in UTF-8. The detail says where parsing failed.";
    Unauthenticated "unauthenticated" UNAUTHORIZED Changed "Authentication required"
        "Send the header Authorization with the scheme Bearer and a valid token or API key. The detail says what is \
         wrong with the one that was sent.";
    Forbidden "forbidden" FORBIDDEN Changed "Permission denied"
        "The token or key is valid, but does not permit this request. Buyers and operators have different keys, and a \
         read-only key changes nothing.";
    ForeignPage "foreign-page" FORBIDDEN No "Cross-site request refused"
        "The request comes from a browser page of another site. Where the gateway requires no key, only this host's \
         own pages and programs outside a browser may change anything.";
    Misdirected "misdirected" MISDIRECTED_REQUEST Changed "Unknown host"
        "The header Host names a host that this gateway does not serve. Where the gateway requires no key, it serves \
         localhost, the address that it listens on, and the hosts of --hosts.";
    NotFound "not-found" NOT_FOUND No "Not found"
        "No route has this path, or the resource does not exist. Buyers also get this answer for operators' resources.";
    UnknownSale "unknown-sale" NOT_FOUND No "Sale not found"
        "No sale has this id. A sale that was requested before it was created may stay unknown for a few seconds.";
    UnknownReservation "unknown-reservation" NOT_FOUND No "Reservation not found"
        "No reservation has this id, or another buyer owns it: both get the same answer. Send an id exactly as the \
         gateway returned it, including the part after the number.";
    UnknownWebhook "unknown-webhook" NOT_FOUND No "Webhook not found"
        "No webhook has this id, or it was removed.";
    UnknownKey "unknown-key" NOT_FOUND No "API key not found"
        "No API key has this id. The id is the key without its last part, which is secret.";
    UnknownProduct "unknown-product" NOT_FOUND No "Product not found"
        "No product has this id. A product that was requested before it was created may stay unknown for a few \
         seconds.";
    UnknownPayment "unknown-payment" NOT_FOUND No "Payment not found"
        "No payment has this number.";
    UnknownBuyer "unknown-buyer" NOT_FOUND No "Account not found"
        "This buyer has no account. A reservation needs no account; payment from a balance does.";
    UnknownQuarantined "unknown-quarantined" NOT_FOUND No "Quarantined row not found"
        "No row in the quarantine has this number. A row that was replayed or discarded is still shown, but cannot be \
         replayed or discarded again.";
    UnknownSimulation "unknown-simulation" NOT_FOUND No "Simulation not found"
        "No simulation has this id, or it ended so long ago that the gateway has forgotten it.";
    UnknownFault "unknown-fault" NOT_FOUND No "Fault not found"
        "This gateway cannot inject a fault of this name.";
    UnknownProblem "unknown-problem" NOT_FOUND No "Problem type not found"
        "No problem type has this name.";
    // Not a conflict: the request is in order, and the same request succeeds once there is money.
    InsufficientBalance "insufficient-balance" PAYMENT_REQUIRED No "Insufficient balance"
        "The reservation costs more than the buyer's balance in its currency. Nothing was debited, and the hold \
         continues.";
    NoAccount "no-account" PAYMENT_REQUIRED No "The buyer has no account"
        "Payment from a balance requires an account. Nothing was debited, and the hold continues.";
    OtherCurrency "other-currency" PAYMENT_REQUIRED No "The balance is in another currency"
        "The detail gives the currency of the balance and that of the price. Nothing was debited, and the hold \
         continues.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED Changed "Method not allowed"
        "The header Allow lists the methods of this path.";
    BodyTimeout "body-timeout" REQUEST_TIMEOUT Later "Request body timed out"
        "The body did not arrive within the time limit after its headers.";
    SoldOut "sold-out" CONFLICT No "Not enough units are available"
        "Units may become available again while the sale lasts: a hold may expire or be released, or the sale may be \
         restocked. The live stock shows it.";
    LimitExceeded "limit-exceeded" CONFLICT No "Limit per buyer exceeded"
        "The buyer's units and the requested units together exceed the sale's limit per buyer, or the buyer would have \
         too many reservations.";
    NotStarted "not-started" CONFLICT Later "The sale has not opened yet"
        "The detail gives the opening time. Retry-After gives the seconds until then, at most a day.";
    Closed "closed" CONFLICT No "The sale is closed"
        "An operator has stopped the sale, and may open it again. Buyers can still pay for their holds.";
    Conflict "conflict" CONFLICT No "Conflict with the current state"
        "The request contradicts an earlier one. A confirmed reservation cannot be released, and a released one cannot \
         be confirmed. Units that buyers have cannot be removed from the sale. An open sale cannot be opened, and a \
         closed one cannot be closed. A paid reservation cannot be paid for by other means. A reference belongs to one \
         payment, whose reported outcome does not change.";
    RefundDue "refund-due" CONFLICT No "Payment recorded; refund due"
        "The payment cannot pay for the reservation: it is late, is a second one, names no reservation, or has \
         the wrong amount. The detail gives the reason and the payment's number. Refund it, then report the refund.";
    SaleDiffers "sale-differs" CONFLICT Changed "A sale with this id and other terms exists"
        "A sale's terms do not change. Choose another id, or restock the existing sale.";
    TooManyWebhooks "too-many-webhooks" CONFLICT Changed "Webhook limit reached"
        "Remove a webhook first.";
    ProductDiffers "product-differs" CONFLICT Changed "Another product with this id exists"
        "A product does not change. Choose another id.";
    BuyerDiffers "buyer-differs" CONFLICT Changed "The buyer's account has other terms"
        "The account was opened with another balance or in another currency.";
    SimulationRuns "simulation-runs" CONFLICT No "Another simulation is running"
        "Only one simulation runs at a time, because two would distort each other's measurements. The detail names the \
         running one.";
    NothingToHit "nothing-to-hit" CONFLICT Changed "The fault has no target"
        "No simulation is running, or the fault's target is already stopped. Nothing was done.";
    Ended "ended" GONE No "The sale has ended"
        "The sale's time is over. It does not open again.";
    Expired "expired" GONE No "The hold has expired"
        "The buyer did not pay in time, and the units are available again. The buyer may make a new reservation.";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE Changed "Request body too large"
        "The detail gives the largest size.";
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE Changed "Unsupported media type"
        "Content-Type must be application/json. Where the gateway requires no key, this also holds for changes without \
         a body; there, the header Flash-Request with any value replaces it. The gateway accepts no Content-Encoding \
         but identity, as Accept-Encoding says.";
    Invalid "invalid" UNPROCESSABLE_ENTITY Changed "Validation failed"
        "Each entry of errors has a JSON pointer to a field, and the field's rule. The list may be incomplete.";
    KeyReused "key-reused" UNPROCESSABLE_ENTITY Changed "Idempotency-Key reused for another request"
        "A key belongs to one request. Use a new key for each new request.";
    RateLimited "rate-limited" TOO_MANY_REQUESTS Later "Too many requests"
        "The detail names the policies that refuse. The headers RateLimit and RateLimit-Policy give the state of each \
         policy.";
    Internal "internal" INTERNAL_SERVER_ERROR No "Internal error"
        "A bug or a configuration error. The gateway's log has the details.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE Later "Gateway overloaded"
        "This gateway is at capacity, or is shutting down. It refuses new requests to answer accepted ones quickly.";
    RedisAway "redis-away" SERVICE_UNAVAILABLE Later "Redis is unavailable; nothing was changed"
        "Redis decides everything about a sale. It is restarting, unreachable, out of memory, or refuses the command.";
    PostgresAway "postgres-away" SERVICE_UNAVAILABLE Later "PostgreSQL is unavailable"
        "Sales that this gateway knows continue. Requests that need PostgreSQL must wait.";
    PostgresReadOnly "postgres-read-only" SERVICE_UNAVAILABLE Later "PostgreSQL is read-only"
        "PostgreSQL is a standby, or its settings forbid writes. Reads work, and sales that this gateway knows \
         continue. Changes to data in PostgreSQL must wait until it accepts writes again.";
    Fenced "fenced" SERVICE_UNAVAILABLE Later "The sale is being checked"
        "Redis was restarted or replaced. The sale sells nothing until its state is known to be complete, which takes \
         seconds.";
    JournalFull "journal-full" SERVICE_UNAVAILABLE Later "The sale waits for its orders to be written"
        "The sale's journal is full of events that are not in PostgreSQL yet.";
    DurabilityUnavailable "durability-unavailable" SERVICE_UNAVAILABLE Later
        "Requested durability unavailable"
        "Nothing was reserved. The detail says what Redis lacks. The header Flash-Durability can request a lower \
         level.";
    FaultFailed "fault-failed" SERVICE_UNAVAILABLE Judged "Fault injection failed"
        "The detail says what happened instead. The fault may still have hit a server.";
    TimedOut "timed-out" GATEWAY_TIMEOUT Later "The answer took too long"
        "Nothing was changed.";
    OutcomeUnknown "outcome-unknown" GATEWAY_TIMEOUT ToLearn "Outcome unknown"
        "No answer came in time. The request may have succeeded.";
    DurabilityShort "durability-short" GATEWAY_TIMEOUT ToLearn "Done, but the requested durability is not confirmed"
        "The change was made, but too few disks or replicas confirmed it in time. A failure may still undo it.";
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
    fn who_should_retry_later_learns_when_or_sent_a_read() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.row().again != Again::Judged) {
            let row = kind.row();
            let waits = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&row.status);
            let later = waits || [Kind::NotStarted, Kind::TimedOut, Kind::BodyTimeout].contains(&kind);
            assert_eq!(row.again == Again::Later, later, "{kind:?}");
        }
    }
}
