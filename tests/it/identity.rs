//! Who may call: buyers by tokens and keys, operators by keys of their own on a listener of their own, from outside.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flash_tests::built;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::http::{Answer, Http};
use crate::support::wait;
use crate::support::world::{World, free_address};

const RESERVE: &str = "/v1/sales/drop/reservations";
const SALE: &str = "{\"sale\":\"drop\",\"total\":20,\"limit\":2,\"hold_ms\":600000}";
const TOKEN_SECRET: &str = "known to the shop and the gateway alone";
/// The year 2100.
const EXPIRES_S: u64 = 4_102_444_800;

/// A gateway whose operators have a listener of their own.
struct Shop {
    world: World,
    operators: std::net::SocketAddr,
    /// A key that may do everything there.
    operate: String,
}

impl Shop {
    fn open(auth: &[&str]) -> Self {
        let mut world = World::start();
        let operators = free_address();
        let listen = operators.to_string();
        world.stop_gateway();
        world.start_gateway_with(&[auth, &["--operator-listen", &listen]].concat());
        let operate = key(&world, "operate", "olga", &[])["key"].as_str().expect("a key").to_owned();
        let shop = Self { world, operators, operate };
        let created = shop.operate("POST", "/v1/sales", SALE).status;
        assert!([200, 201].contains(&created), "{created}");
        shop
    }

    /// With tokens that a shop signs.
    fn with_tokens() -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), TOKEN_SECRET).expect("writable");
        let file = file.path().to_str().expect("UTF-8");
        let issued = ["--jwt-issuer", "shop", "--jwt-audience", "flash", "--jwt-secret-file", file];
        Self::open(&[&["--auth", "jwt"], issued.as_slice()].concat())
    }

    /// Asks as a buyer who shows this.
    fn buy(&self, shown: &str, method: &str, path: &str, body: &str) -> Answer {
        ask(&mut self.world.http(), shown, method, path, body)
    }

    /// Asks as an operator who may do everything.
    fn operate(&self, method: &str, path: &str, body: &str) -> Answer {
        self.operate_with(&self.operate, method, path, body)
    }

    fn operate_with(&self, shown: &str, method: &str, path: &str, body: &str) -> Answer {
        let mut http = Http::connect(self.operators).expect("operators have their own listener");
        ask(&mut http, shown, method, path, body)
    }

    /// The rows of the audit log, the newest first: who, action, sale, detail, outcome.
    fn log(&self) -> Vec<[String; 5]> {
        let answer = self.operate("GET", "/v1/audit-log?limit=50", "");
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let row = |row: &Value| ["who", "action", "sale", "detail", "outcome"].map(|name| text(row, name));
        answer.body["rows"].as_array().unwrap_or_else(|| panic!("no rows in {answer:?}")).iter().map(row).collect()
    }
}

fn ask(http: &mut Http, shown: &str, method: &str, path: &str, body: &str) -> Answer {
    let authorization = format!("Bearer {shown}");
    let mut headers = vec![("content-type", "application/json")];
    if !shown.is_empty() {
        headers.push(("authorization", &authorization));
    }
    // On a busy machine PostgreSQL may be too slow for once: then nothing was changed.
    wait::until("an answer", || {
        let answer = http.send(method, path, &headers, body).expect("an answer");
        (answer.status != 503).then_some(answer)
    })
}

/// What `flash keys create` prints.
fn key(world: &World, role: &str, holder: &str, more: &[&str]) -> Value {
    let args = ["keys", "create", "--role", role, "--holder", holder, "--by", "root"];
    let (code, mut printed) = world.flash(&[&args, more].concat());
    assert_eq!((code, printed.len()), (0, 1), "{printed:?}");
    printed.remove(0)
}

/// A token that the shop signed for this buyer.
fn token(buyer: &str) -> String {
    let claims = json!({"sub": buyer, "iss": "shop", "aud": "flash", "nbf": 0, "exp": EXPIRES_S});
    let message = [json!({"alg": "HS256"}), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut hmac = Hmac::<Sha256>::new_from_slice(TOKEN_SECRET.as_bytes()).expect("any length");
    hmac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
}

fn check(answer: &Answer, want: (u16, &str)) {
    assert_eq!((answer.status, answer.problem()), want, "{answer:?}");
}

#[test]
fn a_token_names_the_buyer_and_a_stranger_s_reservation_is_not_found() {
    let shop = Shop::with_tokens();
    let (ada, bob) = (token("ada"), token("bob"));
    check(&shop.buy("", "POST", RESERVE, "{}"), (401, "unauthenticated"));
    check(&shop.buy("garbage", "POST", RESERVE, "{}"), (401, "unauthenticated"));
    check(&shop.buy(&ada, "POST", RESERVE, "{\"buyer\":\"bob\"}"), (422, "invalid"));
    let made = shop.buy(&ada, "POST", RESERVE, "{\"quantity\":2}");
    check(&made, (201, ""));
    let path = format!("{RESERVE}/{}", made.id().expect("an id"));
    let confirm = format!("{path}/confirm");
    let none = format!("{RESERVE}/99-{}", "0".repeat(32));
    // For a stranger it looks like one that does not exist.
    for (method, path) in [("GET", &path), ("POST", &confirm), ("DELETE", &path)] {
        let stranger = shop.buy(&bob, method, path, "");
        let unknown = shop.buy(&bob, method, &path.replace(made.id().expect("an id"), "99-00"), "");
        check(&stranger, (404, "unknown-reservation"));
        assert_eq!((stranger.status, &stranger.body), (unknown.status, &unknown.body));
        check(&shop.buy("", method, path, ""), (401, "unauthenticated"));
    }
    check(&shop.buy(&ada, "GET", &none, ""), (404, "unknown-reservation"));
    let shown = shop.buy(&ada, "GET", &path, "");
    assert_eq!((shown.status, &shown.body["buyer"], &shown.body["state"]), (200, &"ada".into(), &"held".into()));
    assert_eq!(shown.id(), made.id());
    check(&shop.buy(&ada, "POST", &confirm, ""), (200, ""));
    let orders = || shop.world.rows("SELECT buyer || ' ' || state FROM orders");
    wait::until("ada's order", || (orders() == ["ada confirmed"]).then_some(()));
}

#[test]
fn a_key_s_holder_is_the_buyer_until_the_key_is_revoked_or_ends() {
    let shop = Shop::open(&["--auth", "api-key"]);
    let ada = key(&shop.world, "buyer", "ada", &[]);
    let shown = ada["key"].as_str().expect("a key");
    let made = shop.buy(shown, "POST", RESERVE, "{}");
    check(&made, (201, ""));
    let path = format!("{RESERVE}/{}", made.id().expect("an id"));
    assert_eq!(shop.buy(shown, "GET", &path, "").body["buyer"], "ada");
    check(&shop.buy(shown, "POST", RESERVE, "{\"buyer\":\"ada\"}"), (422, "invalid"));
    check(&shop.buy(&shop.operate, "POST", RESERVE, "{}"), (403, "forbidden"));
    check(&shop.buy(&format!("{shown}0"), "POST", RESERVE, "{}"), (401, "unauthenticated"));
    let wrong = if shown.ends_with('0') { "1" } else { "0" };
    check(&shop.buy(&format!("{}{wrong}", &shown[..shown.len() - 1]), "POST", RESERVE, "{}"), (401, "unauthenticated"));
    // PostgreSQL has the key's hash alone.
    let secret = shown.rsplit_once('_').expect("a secret").1;
    let rows = shop.world.rows("SELECT api_keys::text FROM api_keys UNION ALL SELECT audit_log::text FROM audit_log");
    assert!(rows.len() >= 4 && rows.iter().all(|row| !row.contains(secret)), "{rows:?}");

    let (code, _) = shop.world.flash(&["keys", "revoke", ada["id"].as_str().expect("an id"), "--by", "root"]);
    assert_eq!(code, 0);
    let short = key(&shop.world, "buyer", "eve", &["--expires-in", "1s"]);
    for (key, why) in [(shown, "the key was revoked"), (short["key"].as_str().expect("a key"), "the key has expired")] {
        wait::until(why, || {
            let refused = shop.buy(key, "POST", RESERVE, "{}");
            (refused.status == 401 && refused.body["detail"] == why).then_some(())
        });
    }
    let (_, listed) = shop.world.flash(&["keys", "list"]);
    let states: Vec<_> = listed.iter().map(|row| (row["holder"].as_str(), row["state"].as_str())).collect();
    for want in [("ada", "revoked"), ("eve", "expired"), ("olga", "good")] {
        assert!(states.contains(&(Some(want.0), Some(want.1))), "{states:?}");
    }
    let (code, _) = shop.world.flash(&["keys", "revoke", "flash_buyer_00"]);
    assert_eq!(code, 1, "there is no such key");
}

#[test]
fn operators_have_a_listener_roles_and_a_log() {
    let shop = Shop::with_tokens();
    let read = shop.operate("POST", "/v1/keys", "{\"role\":\"read\",\"holder\":\"rita\"}");
    check(&read, (201, ""));
    let read = read.body["key"].as_str().expect("a key");
    // Buyers meet none of it, and one who looks changes nothing.
    check(&shop.buy(&shop.operate, "POST", "/v1/sales", SALE), (404, "not-found"));
    check(&shop.buy(&shop.operate, "GET", "/v1/audit-log", ""), (404, "not-found"));
    check(&shop.buy("", "GET", "/metrics", ""), (404, "not-found"));
    check(&shop.operate_with(read, "POST", "/v1/sales/drop/close", ""), (403, "forbidden"));
    check(&shop.operate_with("", "POST", "/v1/sales/drop/close", ""), (401, "unauthenticated"));
    check(&shop.operate_with(read, "GET", "/v1/keys?limit=1", ""), (200, ""));
    check(&shop.operate_with(read, "GET", "/v1/keys?page=1", ""), (400, "bad-request"));

    let restock = |body| shop.operate("POST", "/v1/sales/drop/restock", body);
    let more = restock("{\"delta\":5}");
    assert_eq!((more.status, &more.body["total"], &more.body["available"]), (200, &25.into(), &25.into()), "{more:?}");
    check(&restock("{\"delta\":-26}"), (409, "conflict"));
    check(&restock("{\"delta\":1,\"sku\":\"none\"}"), (422, "invalid"));
    check(&shop.operate("POST", "/v1/sales/none/restock", "{\"delta\":1}"), (404, "unknown-sale"));
    check(&shop.operate("POST", "/v1/sales/drop/close", ""), (200, ""));
    check(&shop.buy(&token("ada"), "POST", RESERVE, "{}"), (409, "closed"));
    check(&shop.operate("POST", "/v1/sales/drop/open", ""), (200, ""));
    check(&shop.operate("DELETE", "/v1/keys/flash_read_0000000000000000", ""), (404, "unknown-key"));

    shop.world.sql("INSERT INTO quarantine (reason, body) VALUES ('unreadable', 'x')");
    check(&shop.operate("POST", "/v1/quarantine/1/discard", ""), (200, ""));
    assert_eq!(shop.operate("GET", "/v1/quarantine/1", "").body["discarded_by"], "olga");

    let (refused, log): (Vec<_>, Vec<_>) = wait::until("a row of each attempt", || {
        let (refused, log): (Vec<_>, Vec<_>) = shop.log().into_iter().partition(|row| row[0] == "refused");
        (refused.len() == 2 && refused.iter().all(|row| !row[4].is_empty())).then_some((refused, log))
    });
    let row = |who: &str, action: &str, sale: &str, detail: &str, outcome: &str| {
        [who, action, sale, detail, outcome].map(str::to_owned)
    };
    let want = [
        row("olga", "POST /v1/quarantine/{id}/discard", "", "1", "done"),
        row("olga", "DELETE /v1/keys/{id}", "", "flash_read_0000000000000000", "unknown-key"),
        row("olga", "POST /v1/sales/{sale}/open", "drop", "", "done"),
        row("olga", "POST /v1/sales/{sale}/close", "drop", "", "done"),
        row("olga", "POST /v1/sales/{sale}/restock", "none", "{\"delta\":1}", "unknown-sale"),
        row("olga", "POST /v1/sales/{sale}/restock", "drop", "{\"delta\":1,\"sku\":\"none\"}", "invalid"),
        row("olga", "POST /v1/sales/{sale}/restock", "drop", "{\"delta\":-26}", "conflict"),
        row("olga", "POST /v1/sales/{sale}/restock", "drop", "{\"delta\":5}", "done"),
        row("olga", "POST /v1/keys", "", "{\"role\":\"read\",\"holder\":\"rita\"}", "done"),
        row("olga", "POST /v1/sales", "", SALE, "done"),
        row("root", "flash keys create", "", "operate olga", "done"),
    ];
    assert_eq!(log, want);
    for outcome in ["forbidden", "unauthenticated"] {
        assert!(refused.contains(&row("refused", "POST /v1/sales/{sale}/close", "drop", "", outcome)), "{refused:?}");
    }
    // Long after its start, at both listeners.
    for listener in [shop.world.address, shop.operators] {
        let ready = || Http::connect(listener).and_then(|mut http| http.get("/readyz")).ok();
        wait::until("a gateway that is ready", || ready().filter(|answer| answer.status == 200));
    }
}

#[test]
fn an_address_shows_so_many_bad_keys_and_the_log_has_so_many_refusals_and_a_good_key_goes_on() {
    const TRIED: usize = 60;
    const STRIKES_MAX: usize = 20;
    const REFUSALS_LOGGED_MAX: usize = 30;
    let shop = Shop::with_tokens();
    let (_, secret) = shop.operate.rsplit_once('_').expect("a key has parts");
    let tried: Vec<Answer> = (0..TRIED)
        .map(|at| shop.operate_with(&format!("flash_operate_{at:016x}_{secret}"), "POST", "/v1/sales/drop/close", ""))
        .collect();
    let of = |status: u16| tried.iter().filter(|answer| answer.status == status).count();
    // On a busy machine they may take longer than one window.
    assert!((STRIKES_MAX..=2 * STRIKES_MAX).contains(&of(401)) && of(401) + of(429) == TRIED, "{tried:?}");
    let limited = tried.iter().find(|answer| answer.status == 429).expect("some are refused");
    assert!(limited.header("retry-after").is_some_and(|seconds| seconds != "0"), "{limited:?}");
    check(&shop.operate("GET", "/v1/keys?limit=1", ""), (200, ""));
    let logged = || shop.log().iter().filter(|row| row[0] == "refused").count();
    // What is limited is not logged: it was not looked at.
    wait::until("the rows", || (logged() >= STRIKES_MAX).then_some(()));
    assert!(logged() <= 2 * REFUSALS_LOGGED_MAX, "{}", logged());
}

#[test]
fn an_operator_acts_for_any_buyer_and_learns_of_an_invalid_id() {
    let shop = Shop::with_tokens();
    let made = |buyer: &str| shop.buy(&token(buyer), "POST", RESERVE, "{}").id().expect("an id").to_owned();
    let (ada, bob) = (made("ada"), made("bob"));
    let number = |id: &str| id.split('-').next().expect("a number").to_owned();
    let confirm = |id: &str| shop.operate("POST", &format!("{RESERVE}/{id}/confirm"), "");
    // The payment service passes on what the buyer showed; a number of somebody else's with it is no id.
    check(&confirm(&ada.replacen(&number(&ada), &number(&bob), 1)), (404, "unknown-reservation"));
    let paid = confirm(&ada);
    assert_eq!((paid.status, paid.id()), (200, Some(ada.as_str())), "{paid:?}");
    check(&confirm(&number(&bob)), (200, ""));
    let shown = shop.operate("GET", &format!("{RESERVE}/{}", number(&bob)), "");
    assert_eq!((&shown.body["buyer"], shown.id()), (&"bob".into(), Some(bob.as_str())), "{shown:?}");
    let eve = shop.operate("POST", RESERVE, "{\"buyer\":\"eve\"}");
    check(&eve, (201, ""));
    let path = format!("{RESERVE}/{}", eve.id().expect("an id"));
    assert_eq!(shop.buy(&token("eve"), "GET", &path, "").body["buyer"], "eve");
    let actions: Vec<_> =
        shop.log().into_iter().map(|[_, action, _, detail, outcome]| [action, detail, outcome]).collect();
    let confirms = "POST /v1/sales/{sale}/reservations/{id}/confirm".to_owned();
    assert_eq!(actions[1], [confirms.clone(), number(&bob), "done".to_owned()]);
    assert_eq!(actions[2], [confirms, number(&ada), "done".to_owned()], "what makes an id one is not in the log");
}

/// Of security: a buyer without an account confirmed what costs 999.00 EUR, by a word.
#[test]
fn buyers_pay_from_their_balance_and_a_payment_service_reports_the_rest() {
    const RESERVE: &str = "/v1/sales/dear/reservations";
    let shop = Shop::open(&["--auth", "api-key"]);
    let product = r#"{"product":"watch","name":"A watch","price":99900,"currency":"EUR"}"#;
    check(&shop.operate("POST", "/v1/products", product), (201, ""));
    let sale = r#"{"sale":"dear","total":9,"hold_ms":600000,"product":"watch"}"#;
    check(&shop.operate("POST", "/v1/sales", sale), (201, ""));
    let key_of = |role: &str, holder: &str| {
        let made = shop.operate("POST", "/v1/keys", &format!("{{\"role\":\"{role}\",\"holder\":\"{holder}\"}}"));
        check(&made, (201, ""));
        made.body["key"].as_str().expect("a key").to_owned()
    };
    let (ada, sell, pay) = (key_of("buyer", "ada"), key_of("sell", "sally"), key_of("pay", "psp"));
    let made = shop.buy(&ada, "POST", RESERVE, "{}");
    let path = format!("{RESERVE}/{}", made.id().expect("an id"));
    let confirm = format!("{path}/confirm");
    const EXTERNAL: &str = r#"{"payment":"external","reference":"i-made-this-up"}"#;
    for (body, want) in [
        ("", (422, "invalid")),
        (EXTERNAL, (403, "forbidden")),
        (r#"{"payment":"external","reference":"a","amount":99900,"buyer":"ada"}"#, (403, "forbidden")),
        (r#"{"payment":"balance"}"#, (402, "no-account")),
        ("{}", (422, "invalid")),
    ] {
        let answer = shop.buy(&ada, "POST", &confirm, body);
        check(&answer, want);
        let said = answer.body.to_string();
        assert!(said.contains("payment") || want.1 == "no-account", "{body}: {said}");
        assert_eq!(shop.buy(&ada, "GET", &path, "").body["state"], "held", "{body}");
    }
    assert_eq!(shop.world.rows("SELECT count(*) FROM payments"), ["0"]);
    // On the operators' listener a payment service says so, and says what of.
    check(&shop.operate_with(&sell, "POST", &confirm, EXTERNAL), (403, "forbidden"));
    check(&shop.operate_with(&pay, "POST", "/v1/sales/dear/close", ""), (403, "forbidden"));
    check(&shop.operate_with(&sell, "POST", "/v1/sales/dear/close", ""), (200, ""));
    check(&shop.operate_with(&pay, "POST", &confirm, ""), (422, "invalid"));
    check(&shop.operate_with(&pay, "POST", &confirm, EXTERNAL), (200, ""));
    assert_eq!(shop.world.rows("SELECT concat_ws(' ', buyer, reference) FROM payments"), ["ada i-made-this-up"]);
    for (key, holder, role) in [(&sell, "sally", "sell"), (&pay, "psp", "pay"), (&shop.operate, "olga", "operate")] {
        let who = shop.operate_with(key, "GET", "/v1/whoami", "");
        assert_eq!((&who.body["holder"], &who.body["role"]), (&holder.into(), &role.into()), "{who:?}");
    }
    check(&shop.operate_with("flash_read_0", "GET", "/v1/whoami", ""), (401, "unauthenticated"));
}

#[test]
fn ids_outlive_the_secret_that_made_them_as_long_as_it_is_known() {
    let (first, second) = ("1".repeat(32), "2".repeat(32));
    let mut world = World::start();
    let restart = |world: &mut World, args: &[&str]| {
        world.stop_gateway();
        world.start_gateway_with(args);
    };
    restart(&mut world, &["--id-secret", &first]);
    wait::until("the sale", || {
        let answer = world.http().post("/v1/sales", SALE).expect("an answer");
        [200, 201].contains(&answer.status).then_some(())
    });
    let reserve = |world: &World, buyer: &str| {
        let made = world.http().post(RESERVE, &format!("{{\"buyer\":\"{buyer}\"}}")).expect("an answer");
        made.id().expect("an id").to_owned()
    };
    let status = |world: &World, id: &str| world.http().get(&format!("{RESERVE}/{id}")).expect("an answer").status;
    let old = reserve(&world, "ada");
    restart(&mut world, &["--id-secret", &second, "--id-secret-also", &first]);
    let new = reserve(&world, "bob");
    assert_eq!((status(&world, &old), status(&world, &new)), (200, 200));
    restart(&mut world, &["--id-secret", &second]);
    assert_eq!((status(&world, &old), status(&world, &new)), (404, 200));
}

/// What a gateway without servers says on stderr first, and whether it goes on.
fn first_words(environment: &[(&str, &str)]) -> String {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(built("flash")).args(["gateway", "--listen", "127.0.0.1:0"]);
    for server in ["FLASH_REDIS_URL", "FLASH_AMQP_URL", "FLASH_POSTGRES_URL"] {
        let scheme = server.trim_start_matches("FLASH_").trim_end_matches("_URL").to_lowercase();
        command.env(server, format!("{scheme}://127.0.0.1:1"));
    }
    command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut gateway = command.spawn().expect("flash starts");
    let mut line = String::new();
    BufReader::new(gateway.stderr.take().expect("piped")).read_line(&mut line).expect("readable");
    gateway.kill().expect("ours to kill");
    gateway.wait().expect("killed");
    line
}

#[test]
fn a_gateway_says_at_its_start_what_it_lacks_and_what_it_does_not_ask_for() {
    let secret = ("FLASH_ID_SECRET", "0123456789abcdef0123456789abcdef");
    let rows: [(&[(&str, &str)], &str); 6] = [
        (&[secret], "--auth (FLASH_AUTH) must be jwt, api-key, or, for development only, none"),
        (&[("FLASH_AUTH", "none")], "FLASH_ID_SECRET (or FLASH_ID_SECRET_FILE) is not set"),
        (&[("FLASH_AUTH", "none"), ("FLASH_ID_SECRET", "short")], "must have at least 32 bytes"),
        (&[("FLASH_AUTH", "jwt"), secret], "--auth jwt requires --jwt-keys or FLASH_JWT_SECRET"),
        (&[("FLASH_AUTH", "jwt"), secret, ("FLASH_JWT_KEYS", "/nowhere")], "--auth jwt requires --jwt-issuer"),
        (&[("FLASH_AUTH", "none"), secret], "auth is none: any client may act as any buyer and any operator"),
    ];
    for (environment, want) in rows {
        let said = first_words(environment);
        assert!(said.contains(want), "{environment:?}: {said} lacks {want}");
    }
}
