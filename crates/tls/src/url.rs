//! Parameters of a URL that are ours and not the server's.

/// Takes the parameter `name` out of a URL's query: the URL without it, and its value, unchanged.
#[must_use]
pub fn take_parameter(url: &str, name: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let is_taken = |pair: &&str| pair.split_once('=').is_some_and(|(key, _)| key == name);
    let value =
        query.split('&').find(is_taken).and_then(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned());
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_taken(pair)).collect();
    let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    (url, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, without: &str, value: Option<&str>) {
        assert_eq!(take_parameter(url, "ca"), (without.to_owned(), value.map(str::to_owned)), "{url}");
    }

    #[test]
    fn a_parameter_is_taken_and_the_others_stay() {
        check("rediss://host", "rediss://host", None);
        check("rediss://host/1?ca=/etc/ca.pem", "rediss://host/1", Some("/etc/ca.pem"));
        check("amqps://host?a=1&ca=/x&b=2", "amqps://host?a=1&b=2", Some("/x"));
        check("amqps://host?cacert=/x", "amqps://host?cacert=/x", None);
        check("amqps://host?ca", "amqps://host?ca", None);
        check("amqps://host?ca=", "amqps://host", Some(""));
    }
}
