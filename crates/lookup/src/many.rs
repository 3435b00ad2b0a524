//! What many identifiers find, at one position.
//!
//! Each identifier is one exact look into the index, newest hours first, so that one that thousands of payments share
//! (a payout) costs no more than its first twenty. Payments that the index has not reached, and those that readers see
//! differently, are read once for all identifiers together.

use std::collections::{HashMap, HashSet};

use domain::derive::Payment;
use domain::dossier::Dossier;
use domain::scope::Scope;
use ledger::{Order, Rows};
use query::{IdentField, ident};
use rayon::prelude::*;
use search::{IndexSnapshot, Screen, TermQuery, Within, identifier_query, values};

use crate::error::LookupError;
use crate::lookup::{Answer, Lookup};
use crate::plan::{minute_start, one_position};
use crate::sort_key::SortKey;

/// Payments of an ambiguous identifier that are named.
const NAMED_MAX: usize = 20;

/// What one identifier finds.
#[derive(Clone, Debug)]
pub enum Matched {
    Nothing,
    One(Box<Match>),
    /// The keys of the first twenty in list order.
    Several(Vec<String>),
}

/// The one payment that an identifier finds.
#[derive(Clone, Debug)]
pub struct Match {
    pub field: IdentField,
    pub dossier: Dossier,
}

struct Found {
    key: SortKey,
    seq: u64,
    field: IdentField,
    dossier: Dossier,
}

pub(crate) fn many(lookup: &Lookup, ids: &[String], scope: &Scope) -> Result<Answer<Vec<Matched>>, LookupError> {
    let normals: Vec<String> = ids.iter().map(|id| ident(id)).collect();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for normal in &normals {
        let next = places.len();
        places.entry(normal).or_insert(next);
    }
    let terms: HashSet<String> = places.keys().flat_map(|normal| terms(normal)).collect();
    let wanted = |document: &search::Document| document.terms.iter().any(|term| terms.contains(term));
    let (rows, mut found) = match one_position(lookup, &Screen::Anything, wanted)? {
        Some((rows, recent, snapshot)) => {
            let mut apart: HashSet<u64> = rows.split(scope).into_iter().collect();
            apart.extend(recent.into_iter().map(|(_, seq)| seq));
            let mut found = lookup.spread(|| of_all(&rows, &apart, &places, scope))?;
            let walked = lookup.spread(|| walked(&rows, &snapshot, &apart, &places, scope))?;
            for (found, walked) in found.iter_mut().zip(walked) {
                found.extend(walked);
            }
            (rows, found)
        }
        None => {
            let rows = lookup.reader.rows()?;
            let all = every_seq(&rows, lookup.options.looked_at_max)?;
            let found = lookup.spread(|| of_all(&rows, &all, &places, scope))?;
            (rows, found)
        }
    };
    let found: Vec<Matched> = found.iter_mut().map(|found| settled(std::mem::take(found))).collect();
    let place = |normal: &String| places.get(normal.as_str()).and_then(|place| found.get(*place));
    let value = normals
        .iter()
        .map(|normal| place(normal).cloned().unwrap_or(Matched::Nothing));
    Ok(Answer {
        value: value.collect(),
        head: rows.head().clone(),
    })
}

/// The index's terms of a normal form; none of an identifier without any character.
fn terms(normal: &str) -> Vec<String> {
    let TermQuery::Or(members) = identifier_query(normal, &Scope::All) else {
        return Vec::new();
    };
    let terms = members.into_iter().filter_map(|member| match member {
        TermQuery::Term(term) if !normal.is_empty() => Some(term),
        _ => None,
    });
    terms.collect()
}

/// Without an index every payment is read, where there are few.
fn every_seq(rows: &Rows, max: usize) -> Result<HashSet<u64>, LookupError> {
    let mut all = HashSet::new();
    for row in rows.scan(0) {
        all.insert(row?.0);
        if all.len() > max {
            return Err(LookupError::NoIndex);
        }
    }
    Ok(all)
}

/// What these payments match of all identifiers, by the identifier's place.
fn of_all(
    rows: &Rows,
    seqs: &HashSet<u64>,
    places: &HashMap<&str, usize>,
    scope: &Scope,
) -> Result<Vec<Vec<Found>>, LookupError> {
    let one = |seq: &u64| {
        let Some(dossier) = rows.get(*seq)? else {
            return Ok(Vec::new());
        };
        let Some(payment) = Payment::derive(&dossier, scope) else {
            return Ok(Vec::new());
        };
        let mut matched: Vec<(usize, IdentField)> = Vec::new();
        for field in IdentField::ALL {
            values::identifiers(&payment, field, |_, sent| {
                if let Some(place) = places.get(ident(sent).as_str())
                    && matched.iter().all(|(known, _)| known != place)
                {
                    matched.push((*place, field));
                }
            });
        }
        let found = matched.into_iter().map(|(place, field)| {
            let found = Found {
                key: SortKey::of(&payment),
                seq: *seq,
                field,
                dossier: dossier.clone(),
            };
            (place, found)
        });
        Ok(found.collect())
    };
    let found: Vec<Vec<(usize, Found)>> = seqs.par_iter().map(one).collect::<Result<_, LookupError>>()?;
    let mut out: Vec<Vec<Found>> = places.iter().map(|_| Vec::new()).collect();
    for (place, found) in found.into_iter().flatten() {
        out[place].push(found);
    }
    Ok(out)
}

/// What the index finds for each identifier beside the payments `apart`.
fn walked(
    rows: &Rows,
    snapshot: &IndexSnapshot,
    apart: &HashSet<u64>,
    places: &HashMap<&str, usize>,
    scope: &Scope,
) -> Result<Vec<Vec<Found>>, LookupError> {
    let mut ids: Vec<(&str, usize)> = places.iter().map(|(normal, place)| (*normal, *place)).collect();
    ids.sort_unstable_by_key(|(_, place)| *place);
    ids.par_iter()
        .map(|(normal, _)| walk(rows, snapshot, apart, normal, scope))
        .collect()
}

fn walk(
    rows: &Rows,
    snapshot: &IndexSnapshot,
    apart: &HashSet<u64>,
    normal: &str,
    scope: &Scope,
) -> Result<Vec<Found>, LookupError> {
    let mut found = Vec::new();
    if normal.is_empty() {
        return Ok(found);
    }
    let query = identifier_query(normal, scope);
    let mut walk = snapshot.walk(&query, search::Order::NewestFirst, &Within::ever());
    while let Some(hits) = walk.next_hours(NAMED_MAX + 1)? {
        for hit in hits.iter().filter(|hit| !apart.contains(&hit.seq)) {
            found.extend(one(rows, hit.seq, normal, scope)?);
        }
        // Whole hours are known, so those that lie in them are the first of the list.
        let down_to = hits.last().map(|hit| minute_start(hit.minute));
        let settled = found
            .iter()
            .filter(|found: &&Found| down_to.is_none_or(|down_to| found.key.occurred_at >= down_to));
        if settled.count() > NAMED_MAX {
            break;
        }
    }
    Ok(found)
}

fn one(rows: &Rows, seq: u64, normal: &str, scope: &Scope) -> Result<Option<Found>, LookupError> {
    let Some(dossier) = rows.get(seq)? else { return Ok(None) };
    let Some(payment) = Payment::derive(&dossier, scope) else {
        return Ok(None);
    };
    let field = IdentField::ALL.into_iter().find(|field| {
        let mut same = false;
        values::identifiers(&payment, *field, |_, sent| same |= ident(sent) == normal);
        same
    });
    let key = SortKey::of(&payment);
    Ok(field.map(|field| Found {
        key,
        seq,
        field,
        dossier,
    }))
}

fn settled(mut found: Vec<Found>) -> Matched {
    found.sort_by(|a, b| a.key.compare(&b.key, Order::NewestFirst));
    found.dedup_by_key(|found| found.seq);
    match found.len() {
        0 => Matched::Nothing,
        1 => found.pop().map_or(Matched::Nothing, |found| {
            Matched::One(Box::new(Match {
                field: found.field,
                dossier: found.dossier,
            }))
        }),
        _ => Matched::Several(
            found
                .into_iter()
                .take(NAMED_MAX)
                .map(|found| found.key.payment_key)
                .collect(),
        ),
    }
}
