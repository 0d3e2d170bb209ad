//! A number that every reader takes for the same: one that a double (IEEE 754, 64 bits) holds exactly as it is written,
//! by the shortest decimal that denotes that double, as JavaScript and others write it.

/// Digits that a double holds in every case, as it is written.
const SAFE_DIGITS: usize = 15;

/// Checks a JSON number.
///
/// # Errors
/// Gives the rule.
pub(super) fn check(json: &str) -> Result<(), &'static str> {
    if json.len() <= SAFE_DIGITS && json.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let Ok(number) = json.parse::<f64>() else { return Err(RULE) };
    if !number.is_finite() {
        return Err(RULE);
    }
    let (said, meant) = (Decimal::read(json), Decimal::read(&format!("{number:e}")));
    match said == meant && !(number == 0.0 && number.is_sign_negative()) {
        true => Ok(()),
        false => Err(RULE),
    }
}

const RULE: &str = "must be a number that a double holds as it is written: at most 1.8e308, no more than 17 digits, and no -0; \
                    give others as a text";

/// What a decimal means: 0.`digits` times a power of ten, without zeros at either end of the digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// None: the exponent is beyond everything.
    fn read(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = [whole, fraction].concat().into_bytes();
        let (zeros, end) = (
            digits.iter().take_while(|digit| **digit == b'0').count(),
            digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1),
        );
        if end == 0 {
            return Some(Self { is_negative, digits: Vec::new(), exponent: 0 });
        }
        let shift = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_add(shift)?;
        Some(Self { is_negative, digits: digits[zeros..end].to_vec(), exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_that_a_double_holds_as_it_is_written() {
        for number in [
            "0",
            "0.0",
            "0e5",
            "-7",
            "1.0",
            "1e2",
            "1E+2",
            "100e-2",
            "0.1",
            "0.30000000000000004",
            "9007199254740991",
            "9007199254740992",
            "-900719925474099.5",
            "1.7976931348623157e308",
            "5e-324",
            "123456789012345",
            "0.000000000000000000000000001",
            "1e22",
            "10000000000000000000000",
        ] {
            assert_eq!(check(number), Ok(()), "{number}");
        }
    }

    #[test]
    fn a_number_that_readers_would_change_is_refused() {
        let many = format!("0.{}", "3".repeat(1_000));
        let zeros = format!("1{}", "0".repeat(400));
        for number in [
            "1e400",
            "-1e400",
            "1e309",
            "1e-400",
            "4e-325",
            "-0",
            "-0.0",
            "-0e9",
            "9007199254740993",
            "18446744073709551615",
            "12345678901234567890",
            "0.1234567890123456789",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            &many,
            &zeros,
        ] {
            assert_eq!(check(number), Err(RULE), "{number}");
        }
        assert_eq!(check(&format!("1.{}", "0".repeat(1_000))), Ok(()), "zeros change nothing");
    }
}
