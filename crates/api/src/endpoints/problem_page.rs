//! `GET /problems/{code}`: what a kind of problem means and what to do about it; where `type` of a problem points to.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Html;

use crate::problem::{Problem, kinds};

pub(crate) async fn get_problem_page(code: Result<Path<String>, PathRejection>) -> Result<Html<String>, Problem> {
    let kind = code.ok().and_then(|Path(code)| kinds::find(&code));
    let Some(kind) = kind else {
        return Err(Problem::new(
            &kinds::NOT_FOUND,
            "there is no kind of problem with this code",
        ));
    };
    let (code, status, title, advice) = (kind.code, kind.status, escaped(kind.title), escaped(kind.advice));
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>body{{font-family:sans-serif;max-width:40em;margin:3em auto;line-height:1.5}}</style>\n\
         <h1>{title}</h1>\n<p><code>{code}</code>, HTTP status {status}</p>\n<p>{advice}</p>\n</html>\n"
    )))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
