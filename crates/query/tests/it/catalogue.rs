//! The catalogue is the one list of fields: everything in it works, and the parameters agree with it.

use std::collections::HashSet;

use query::{Operator, ParamSet, catalogue, compile, field, filter_from_params};

#[test]
fn names_are_unique_and_found() {
    let names: HashSet<&str> = catalogue().iter().map(|info| info.name).collect();
    assert_eq!(names.len(), catalogue().len());
    for info in catalogue().iter().filter(|info| info.name != "metadata.<key>") {
        assert_eq!(field(info.name), Some((info, None)));
    }
    assert_eq!(
        field("metadata.store").map(|(info, key)| (info.name, key)),
        Some(("metadata.<key>", Some("store")))
    );
    assert_eq!(field("nothing"), None);
}

#[test]
fn every_example_is_understood_and_names_its_field() {
    for info in catalogue() {
        assert!(!info.examples.is_empty(), "{}", info.name);
        let name = info.name.trim_end_matches("<key>");
        for example in info.examples {
            assert!(example.trim_start_matches('-').starts_with(name), "{example}");
            compile(example).unwrap_or_else(|error| panic!("{example}: {error:?}"));
        }
    }
}

#[test]
fn every_operator_works_where_it_is_listed_and_nowhere_else() {
    for info in catalogue() {
        let name = info.name.replace("<key>", "store");
        let value = info.examples[0].split_once(':').map_or("", |(_, value)| value);
        let value = value
            .trim_start_matches(['>', '<', '=', '['])
            .split([' ', '*'])
            .next()
            .unwrap_or_default();
        let tried = [
            (Operator::Prefix, format!("{name}:{value}xxxx*")),
            (Operator::Compare, format!("{name}:>{value}")),
            (Operator::Range, format!("{name}:[{value} TO *]")),
        ];
        for (operator, text) in tried {
            assert_eq!(compile(&text).is_ok(), info.operators().contains(&operator), "{text}");
        }
        let plain = info
            .operators()
            .iter()
            .any(|operator| matches!(operator, Operator::Equals | Operator::Contains));
        assert!(plain && compile(&format!("{name}:{value}")).is_ok(), "{name}:{value}");
    }
}

#[test]
fn every_listed_value_is_accepted() {
    for info in catalogue() {
        for value in info.values().unwrap_or_default() {
            assert!(
                compile(&format!("{}:{value}", info.name)).is_ok(),
                "{}:{value}",
                info.name
            );
        }
        let unknown = compile(&format!("{}:NO_SUCH_VALUE_4711", info.name.replace("<key>", "k")));
        assert!(!info.is_closed() || unknown.is_err(), "{}", info.name);
    }
}

#[test]
fn the_parameters_of_payments_are_those_of_the_catalogue() {
    let of_catalogue: HashSet<&str> = catalogue()
        .iter()
        .filter(|info| info.parameter)
        .map(|info| info.name)
        .collect();
    let of_set: HashSet<&str> = ParamSet::PAYMENTS.names().filter(|name| *name != "q").collect();
    assert_eq!(of_set, of_catalogue);
    for info in catalogue().iter().filter(|info| info.parameter) {
        let (_, value) = info.examples[0].split_once(':').expect("a field and a value");
        let value = value
            .trim_start_matches(['>', '<', '=', '['])
            .split(' ')
            .next()
            .unwrap_or_default();
        // The text and the parameter are one filter.
        let by_parameter = filter_from_params([(info.name, value)], ParamSet::PAYMENTS);
        assert_eq!(
            by_parameter,
            Ok(compile(&format!("{}:{value}", info.name)).expect("a good text")),
            "{}",
            info.name
        );
        for (bracket, symbol) in [("gte", ">="), ("gt", ">"), ("lte", "<="), ("lt", "<")] {
            let name = format!("{}[{bracket}]", info.name);
            let by_parameter = filter_from_params([(name.as_str(), value)], ParamSet::PAYMENTS);
            assert_eq!(
                by_parameter.is_ok(),
                info.bracket_operators().contains(&bracket),
                "{name}"
            );
            if let Ok(filter) = by_parameter {
                assert_eq!(Ok(filter), compile(&format!("{}:{symbol}{value}", info.name)));
            }
        }
    }
}
