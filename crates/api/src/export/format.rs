//! Which format an answer is in: the parameter `format`, else the header `Accept`, else JSON.

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use headers::Header as _;
use mediatype::{MediaType, Name, Value};
use query::nearest;

use crate::params::{Mistakes, Params};
use crate::problem::{Mistake, Problem, kinds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Ndjson,
    Csv,
    Xlsx,
    Parquet,
}

impl Format {
    /// The first is what a client gets to whom all are the same.
    const ALL: [Format; 5] = [Format::Json, Format::Ndjson, Format::Csv, Format::Xlsx, Format::Parquet];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
            Format::Parquet => "parquet",
        }
    }

    /// Type and subtype of the media type.
    const fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Format::Json => ("application", "json"),
            Format::Ndjson => ("application", "x-ndjson"),
            Format::Csv => ("text", "csv"),
            Format::Xlsx => ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            Format::Parquet => ("application", "vnd.apache.parquet"),
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson",
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// The header `Accept` as it was sent, all its lines.
pub(crate) struct Accept(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for Accept {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Accept(parts.headers.get_all(ACCEPT).iter().cloned().collect()))
    }
}

impl Accept {
    /// Named with `q=0`: the library lets a wildcard beside it win.
    fn refuses(&self, format: Format) -> bool {
        let (main, sub) = format.media_type();
        let named = |part: &str| {
            let mut words = part.split(';').map(str::trim);
            let is_named = words
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(&format!("{main}/{sub}")));
            is_named && words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        };
        self.0
            .iter()
            .filter_map(|line| line.to_str().ok())
            .any(|line| line.split(',').any(named))
    }

    /// What can be read of it, element by element: the library refuses the whole header for one that it cannot read, and Java's own
    /// client sends `*; q=.2, */*; q=.2` behind others.
    fn understood(&self) -> Vec<HeaderValue> {
        let lines = self.0.iter().filter_map(|line| line.to_str().ok());
        let elements = lines.flat_map(|line| line.split(',')).map(str::trim);
        elements
            .filter(|element| !element.is_empty())
            .filter_map(|element| HeaderValue::try_from(element.replace("q=.", "q=0.")).ok())
            .filter(|element| headers_accept::Accept::decode(&mut std::iter::once(element)).is_ok())
            .collect()
    }

    /// The format that the client likes best. `None`: it takes none of them.
    fn negotiate(&self) -> Option<Format> {
        if self.0.is_empty() {
            return Some(Format::Json);
        }
        let understood = self.understood();
        if understood.is_empty() {
            return None;
        }
        let accept = headers_accept::Accept::decode(&mut understood.iter()).ok()?;
        let of = |pairs: &[(&'static str, &'static str)]| -> Vec<(Name<'_>, Value<'_>)> {
            let pair = |(name, value): &(&'static str, &'static str)| Some((Name::new(name)?, Value::new(value)?));
            pairs.iter().filter_map(pair).collect()
        };
        // Who names the only charset and the only header line there is means the same type; the library compares parameters letter
        // by letter.
        let parameters = [
            of(&[]),
            of(&[("charset", "utf-8")]),
            of(&[("charset", "UTF-8")]),
            of(&[("header", "present")]),
            of(&[("charset", "utf-8"), ("header", "present")]),
            of(&[("charset", "UTF-8"), ("header", "present")]),
        ];
        let offered: Vec<(MediaType<'_>, Format)> = Format::ALL
            .into_iter()
            .filter(|format| !self.refuses(*format))
            .flat_map(|format| {
                let (main, sub) = format.media_type();
                parameters.iter().map(move |parameters| {
                    let (main, sub) = (Name::new_unchecked(main), Name::new_unchecked(sub));
                    (MediaType::from_parts(main, sub, None, parameters), format)
                })
            })
            .collect();
        let best = accept.negotiate(offered.iter().map(|(media_type, _)| media_type))?;
        offered
            .iter()
            .find(|(media_type, _)| std::ptr::eq(media_type, best))
            .map(|(_, format)| *format)
    }
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// CSV begins with a byte order mark, by which some spreadsheets know UTF-8.
    pub(crate) bom: bool,
    pub(crate) manifest: bool,
}

impl Output {
    /// Reads `format`, `bom`, `manifest` and `Accept`.
    ///
    /// # Errors
    /// 406 where `Accept` takes none of the formats; mistakes in the parameters are noted.
    pub(crate) fn read(params: &Params, accept: &Accept, mistakes: &mut Mistakes) -> Result<Self, Problem> {
        let format = match params.one("format", mistakes) {
            Some(sent) => named(sent, mistakes),
            None => accept.negotiate().ok_or_else(not_acceptable)?,
        };
        let bom = match params.one("bom", mistakes) {
            None | Some("false") => false,
            Some("true") if format == Format::Csv => true,
            Some("true") => {
                let detail = "bom is for CSV; other formats have no byte order mark";
                mistakes.add(Mistake::new("bom", &kinds::BAD_VALUE, detail).expected("format=csv beside it"));
                false
            }
            Some(other) => {
                let mistake = Mistake::new("bom", &kinds::UNKNOWN_VALUE, "bom is true or false")
                    .expected("one of true, false")
                    .suggesting(nearest(other, ["true", "false"]));
                mistakes.add(mistake);
                false
            }
        };
        let manifest = match params.one("manifest", mistakes) {
            None => true,
            Some("none") => false,
            Some(other) => {
                let detail = "manifest is none, or left out for one at the end";
                let mistake = Mistake::new("manifest", &kinds::UNKNOWN_VALUE, detail)
                    .expected("one of none")
                    .suggesting(nearest(other, ["none"]));
                mistakes.add(mistake);
                true
            }
        };
        Ok(Output { format, bom, manifest })
    }

    /// A page or a report in JSON, not an export.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Notes what belongs to pages beside a format that is not paged.
    pub(crate) fn refuse_paging(self, params: &Params, mistakes: &mut Mistakes) {
        if params.all("cursor").next().is_some() {
            let detail = format!(
                "a cursor belongs to the pages of JSON; {} holds all rows at once",
                self.format.as_str()
            );
            mistakes.add(Mistake::new("cursor", &kinds::BAD_CURSOR, detail).expected("no cursor"));
        }
        if params.all("explain").any(|sent| sent == "true") {
            let detail = format!(
                "explain belongs to the pages of JSON; {} holds rows alone",
                self.format.as_str()
            );
            mistakes.add(
                Mistake::new("explain", &kinds::BAD_VALUE, detail).expected("no explain, or format=json beside it"),
            );
        }
        if params.all("total").any(|sent| sent == "true") {
            let detail = format!(
                "total belongs to the pages of JSON; {} ends with a manifest that has the rows and their sums",
                self.format.as_str()
            );
            mistakes
                .add(Mistake::new("total", &kinds::BAD_VALUE, detail).expected("no total, or format=json beside it"));
        }
    }
}

fn named(sent: &str, mistakes: &mut Mistakes) -> Format {
    let names = || Format::ALL.iter().map(|format| format.as_str());
    let found = Format::ALL.into_iter().find(|format| format.as_str() == sent);
    found.unwrap_or_else(|| {
        let shown: String = sent.chars().take(64).collect();
        let mistake = Mistake::new("format", &kinds::UNKNOWN_VALUE, format!("format cannot be {shown:?}"))
            .expected(format!("one of {}", names().collect::<Vec<_>>().join(", ")))
            .suggesting(nearest(sent, names()));
        mistakes.add(mistake);
        Format::Json
    })
}

fn not_acceptable() -> Problem {
    let types: Vec<&str> = Format::ALL
        .iter()
        .map(|format| format.content_type().split(';').next().unwrap_or_default())
        .collect();
    let detail = format!(
        "the header Accept takes none of the formats there are: {}",
        types.join(", ")
    );
    Problem::new(&kinds::NOT_ACCEPTABLE, detail)
}

/// Says that another `Accept` may get another answer.
pub(crate) fn vary(mut response: Response) -> Response {
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &[&'static str], expect: Option<Format>) {
        let accept = Accept(sent.iter().map(|line| HeaderValue::from_static(line)).collect());
        assert_eq!(accept.negotiate(), expect, "{sent:?}");
    }

    #[test]
    fn the_best_liked_format_is_given() {
        check(&[], Some(Format::Json));
        check(&["*/*"], Some(Format::Json));
        check(&["application/*"], Some(Format::Json));
        check(&["text/*"], Some(Format::Csv));
        check(&["text/csv"], Some(Format::Csv));
        check(&["TEXT/CSV"], Some(Format::Csv));
        check(&["text/csv;charset=utf-8"], Some(Format::Csv));
        check(&["application/json; charset=UTF-8"], Some(Format::Json));
        check(&["application/x-ndjson"], Some(Format::Ndjson));
        check(&["application/vnd.apache.parquet"], Some(Format::Parquet));
        check(
            &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
            Some(Format::Xlsx),
        );
        check(&["application/json;q=0.5, text/csv;q=0.9"], Some(Format::Csv));
        check(&["application/json;q=0.5", "text/csv;q=0.9"], Some(Format::Csv));
        check(&["text/csv;q=0, */*;q=0.1"], Some(Format::Json));
        check(&["application/json;q=0, application/*"], Some(Format::Ndjson));
        check(&["text/html, */*;q=0.8"], Some(Format::Json));
        check(&["text/csv; header=present"], Some(Format::Csv));
        check(&["text/csv; charset=utf-8; header=present"], Some(Format::Csv));
        check(
            &["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"],
            Some(Format::Json),
        );
        check(&["no media type, text/csv"], Some(Format::Csv));
        check(&[", text/csv"], Some(Format::Csv));
        check(&["text/html"], None);
        check(&["text/csv;q=0"], None);
        check(&["*/*;q=0"], None);
        check(&["no media type"], None);
    }
}
