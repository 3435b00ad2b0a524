//! Other orders of the same messages.

use super::History;
use super::material::Draw;

/// Another order, with some messages doubled.
pub(super) fn shuffled(messages: &[Vec<u8>], seed: u64) -> Vec<Vec<u8>> {
    let mut draw = Draw::new(seed);
    let mut out = messages.to_vec();
    for message in messages {
        if draw.chance(20) {
            let copies = draw.between(1, 2);
            out.extend(std::iter::repeat_n(message.clone(), copies));
        }
    }
    draw.shuffle(&mut out);
    out
}

/// Every order of a history's messages; meant for [`History::small`], six messages have 720.
pub fn all_permutations(history: &History) -> Vec<Vec<Vec<u8>>> {
    let orders = orders_of(history.messages.len());
    let in_order = |order: Vec<usize>| order.into_iter().map(|i| history.messages[i].clone()).collect();
    orders.into_iter().map(in_order).collect()
}

fn orders_of(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let with_last_at = |order: &Vec<usize>, place: usize| {
        let mut order = order.clone();
        order.insert(place, last);
        order
    };
    orders_of(last)
        .iter()
        .flat_map(|order| (0..count).map(move |place| with_last_at(order, place)))
        .collect()
}
