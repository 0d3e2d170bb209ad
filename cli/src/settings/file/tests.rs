//! What a file may say, and what is said of one that says something else.

use clap::CommandFactory;

use super::*;
use crate::args::Args;

fn read(text: &str, others_read: bool) -> Result<File, String> {
    File::parse(Path::new("f.toml"), text, others_read, &Args::command()).map_err(|error| error.to_string())
}

fn check(text: &str, want: Result<(), &str>) {
    assert_eq!(read(text, false).map(|_| ()), want.map_err(|want| format!("f.toml:{want}")), "{text}");
}

/// The error says this and more.
fn check_bad(text: &str, want: &str) {
    let error = read(text, false).expect_err(text);
    assert!(error.starts_with(&format!("f.toml:{want}")), "{text}\n{error}\nis not\n{want}");
}

#[test]
fn a_key_is_a_setting_of_all_that_have_it_or_of_one_command() {
    let text = "redis-url-file = \"/r\"\nsweep-after-ms = 2_000\n[gateway]\nthreads = 0x4\nredis-url-file = \"/g\"\n";
    let file = read(text, true).unwrap();
    let value = |section: &str, name: &str| file.setting(section, name).map(|setting| setting.values.join(" "));
    assert_eq!(value("gateway", "threads").as_deref(), Some("4"));
    assert_eq!(value("gateway", "redis-url-file").as_deref(), Some("/g"));
    assert_eq!(value("gateway", "sweep-after-ms").as_deref(), Some("2000"));
    assert_eq!(value("syncer", "redis-url-file").as_deref(), Some("/r"));
    assert_eq!(value("syncer", "threads"), None);
    assert_eq!(file.place(file.setting("gateway", "threads").unwrap()), "f.toml:4");
}

#[test]
fn an_unknown_setting_is_refused_with_its_line_and_the_nearest_name() {
    check("thread = 4", Err("1: unknown setting `thread`; did you mean `threads`?"));
    check("\n[gateway]\ntreads = 4", Err("3: unknown setting `treads`; did you mean `threads`?"));
    check("[syncer]\nmetric-listen = \"\"", Err("2: unknown setting `metric-listen`; did you mean `metrics-listen`?"));
    check("[gatway]\nthreads = 4", Err("1: unknown setting `gatway`; did you mean `gateway`?"));
    check("drain_notice_ms = 4", Err("1: unknown setting `drain_notice_ms`; did you mean `drain-notice-ms`?"));
    check_bad("[dev]\ndemo = true", "2: unknown setting `demo`; the settings here are ");
    check_bad("config = \"other\"", "1: unknown setting `config`; the settings here are ");
}

#[test]
fn a_value_is_what_the_flag_would_take() {
    check("threads = \"4\"", Ok(()));
    check_bad("threads = \"four\"", "1: invalid value 'four' for '[threads]'");
    check_bad("\nsweep-after-ms = 1", "2: invalid value '1' for '[sweep-after-ms]': 1 is not in 1000..=3600000");
    check_bad(
        "transport = \"pigeon\"",
        "1: invalid value 'pigeon' for '[transport]'\n  [possible values: amqp, direct]",
    );
    check_bad("threads = -1", "1: invalid value '-1' for '[threads]'");
    check_bad("threads = [1, 2]", "1: unexpected argument '2' found");
    check_bad("threads = 1979-05-27", "1: threads must be a string, a number");
    check_bad("[gateway.threads]\na = 1", "1: threads must be a string, a number");
    check("trusted-proxies = [\"10.0.0.0/8\", \"::1\"]", Ok(()));
    check_bad("trusted-proxies = [\"10.0.0.0/8\", \"10.0.0.0/99\"]", "1: invalid value '10.0.0.0/99'");
    check_bad("threads = ", "1: ");
    check_bad("threads = 1\nthreads = 2", "2: duplicate key");
}

#[test]
fn a_password_does_not_stand_where_everyone_may_read_it() {
    let url = |url: &str| format!("[gateway]\nredis-url = \"{url}\"");
    assert!(read(&url("redis://ada:secret@host"), false).is_ok());
    assert!(read(&url("redis://host:6379/1"), true).is_ok());
    let error = read(&url("redis://ada:secret@host"), true).expect_err("everyone may read it");
    assert!(error.starts_with("f.toml:2: redis-url holds a password") && error.contains("redis-url-file"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

const BUCKET: &str = "[[rate-limit]]\nname = \"p\"\nstrategy = \"bucket\"\nrate = 1\nperiod-ms = 1000\nburst = 5\n";

#[test]
fn a_policy_of_each_strategy_is_read() {
    let limits = "limit = 5\nwindow-ms = 1000\n";
    let policy = |strategy: &str, terms: &str| {
        format!("[[rate-limit]]\nname = \"{strategy}\"\nstrategy = \"{strategy}\"\n{terms}")
    };
    let text = [
        BUCKET.to_owned(),
        policy("burst", &format!("{limits}extra = 9\nperiod-ms = 60_000\nby = [\"buyer\", \"sale\"]\n")),
        policy("strict", &format!("{limits}routes = [\"reserve\"]\n")),
        policy("sliding", limits),
        policy("daily", "limit = 5\noffset-minutes = -60\n"),
        policy("daily", "limit = 5\nzone = \"Europe/Berlin\"\n").replacen("daily", "berlin", 1),
    ];
    let file = read(&text.concat(), true).unwrap();
    let shown: Vec<String> = file.placed_policies().map(|(place, policy)| format!("{place} {policy}")).collect();
    assert_eq!(shown.len(), 6);
    assert_eq!(shown[0].split(" on ").next(), Some("f.toml:1 bucket rate 1 period-ms 1000 burst 5 by nothing"));
    let burst = "f.toml:7 burst limit 5 window-ms 1000 extra 9 period-ms 60000 by buyer, sale";
    assert_eq!(shown[1].split(" on ").next(), Some(burst));
    assert_eq!(shown[2], "f.toml:15 strict limit 5 window-ms 1000 by nothing on reserve");
    assert_eq!(shown[4].split(" on ").next(), Some("f.toml:26 daily limit 5 offset-minutes -60 by nothing"));
    assert_eq!(shown[5].split(" on ").next(), Some("f.toml:31 daily limit 5 zone Europe/Berlin by nothing"));
}

#[test]
fn a_policy_that_breaks_a_rule_is_refused_by_its_name_its_field_and_the_limit() {
    let with = |from: &str, to: &str| BUCKET.replace(from, to);
    check(&with("burst = 5", "burst = 0"), Err("6: rate-limit p: burst must be 1 to 1000000000"));
    check(&with("burst = 5", ""), Err("1: rate-limit p: burst must be given"));
    check(
        &with("period-ms = 1000", "period-ms = 2592000001"),
        Err("5: rate-limit p: period-ms must be 1 to 2592000000"),
    );
    check(&with("rate = 1", "rate = -1"), Err("4: rate-limit p: rate must be a whole number"));
    check(&with("rate = 1", "rate = \"1\""), Err("4: rate-limit p: rate must be a whole number"));
    check(&with("rate = 1", "rat = 1"), Err("4: rate-limit p: unknown setting `rat`; did you mean `rate`?"));
    let known = "name, strategy, by, routes, rate, period-ms, burst";
    check(
        &with("burst = 5", "burst = 5\nlimit = 5"),
        Err(&format!("7: rate-limit p: unknown setting `limit`; the settings here are {known}")),
    );
    let daily = "[[rate-limit]]\nname = \"p\"\nstrategy = \"daily\"\nlimit = 5\n";
    let zone = "zone must be the IANA name of a time zone, as Europe/Berlin";
    check(&format!("{daily}zone = \"Atlantis\""), Err(&format!("5: rate-limit p: {zone}")));
    check(&format!("{daily}zone = 7"), Err("1: rate-limit: zone must be a string"));
    let both = "5: rate-limit p: zone cannot be combined with offset-minutes";
    check(&format!("{daily}zone = \"UTC\"\noffset-minutes = 0"), Err(both));
    check(&daily.replace("limit = 5", "zone = \"UTC\""), Err("1: rate-limit p: limit must be given"));
    let strategies = "bucket, burst, strict, sliding, daily";
    check(&with("\"bucket\"", "\"leaky\""), Err(&format!("3: rate-limit p: strategy must be one of {strategies}")));
    let name = "must be 1 to 32 small letters, digits or '-'";
    check(&with("\"p\"", "\"P\""), Err(&format!("2: rate-limit P: name {name}")));
    check(&with("name = \"p\"\n", ""), Err(&format!("1: rate-limit without a name: name {name}")));
    check(&with("\"p\"", "7"), Err("1: rate-limit: name must be a string"));
    let parts = "must be a list of buyer, address, sale, route";
    check(&format!("{BUCKET}by = [\"colour\"]"), Err(&format!("7: rate-limit p: by {parts}")));
    check(&format!("{BUCKET}by = \"buyer\""), Err("7: rate-limit p: by must be a list of strings"));
    check_bad(&format!("{BUCKET}routes = [\"nowhere\"]"), "7: rate-limit p: routes must be among ");
    let none = "by must not include sale for create-sale, whose path has no sale";
    check(&format!("{BUCKET}by = [\"sale\"]\nroutes = [\"create-sale\"]"), Err(&format!("7: rate-limit p: {none}")));
    check(&format!("{BUCKET}{BUCKET}"), Err("7: rate-limit p: another policy has this name"));
    check("rate-limit = 5", Err("1: write [[rate-limit]], because it is a list"));
    check("rate-limit = [5]", Err("1: write [[rate-limit]], because each entry is a table"));
    check_bad(&BUCKET.repeat(33), "1: rate-limit must be at most 32 policies, not 33");
}
