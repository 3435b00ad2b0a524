//! Latin words, some with quotes, accents and ampersands, as real catalogues have them.

pub(super) const GIVEN: &[&str] = &[
    "Emma", "Liam", "Olivia", "Noah", "Ava", "Lucas", "Mia", "Ethan", "Sofia", "Mason", "Amélie", "Björn", "Chloé", "Diego", "Elena",
    "Fatima", "Gabriel", "Hana", "Ibrahim", "José", "Khalid", "Lena", "Mohammed", "Nora", "Oscar", "Priya", "Quentin", "Rosa", "Sören",
    "Tom", "Ursula", "Victor", "Wendy", "Xavier", "Yusuf", "Zoë", "Grace", "Henry", "Isabel", "Jack",
];
pub(super) const FAMILY: &[&str] = &[
    "Smith", "Johnson", "Williams", "Brown", "García", "Miller", "Davis", "Rodríguez", "Müller", "O'Connor", "Al-Khalifa", "Nguyen",
    "Anderson", "Thomas", "Taylor", "Moore", "Jackson", "Martin", "Lee", "Pérez", "Thompson", "White", "Harris", "Sánchez", "Clark",
    "Ramírez", "Lewis", "Robinson", "Walker", "Young", "Allen", "King", "Wright", "Scott", "Torres", "Hassan", "Hill", "Flores", "Green", "Øster",
];
pub(super) const ADJECTIVES: &[&str] = &[
    "Wireless", "Organic", "Limited Edition", "Handmade", "Classic", "Ultra Light", "Premium", "Compact", "Vintage", "Waterproof", "Smart",
    "Everyday", "Deluxe", "Mini", "XL", "Recycled", "Matte Black", "Ivory", "Portable", "Signature", "\"Original\"", "Kids'", "Noise-Cancelling", "2-Pack",
];
/// One list per category of `CATEGORIES`.
pub(super) const NOUNS: [&[&str]; 8] = [
    &["Espresso Beans", "Oat Latte", "Cold Brew", "Blueberry Muffin", "Breakfast Box", "Matcha Powder", "Iced Tea", "Bagel & Cream Cheese"],
    &["Sneakers", "Denim Jacket", "T-Shirt", "Rain Coat", "Running Shorts", "Leather Wallet", "Scarf", "Yoga Pants", "Baseball Cap"],
    &["Novel", "Cookbook", "Picture Book", "Travel Guide", "Notebook", "Language Course", "Poster 24\" x 36\"", "Comic Bundle"],
    &["Mouse", "Mechanical Keyboard", "Headphones", "USB-C Cable", "27\" Monitor", "Webcam", "Power Bank", "Desk Lamp", "Air Purifier"],
    &["Face Cream", "Sunscreen SPF 50", "Lip Balm", "Shampoo", "Perfume", "Hand Soap", "Body Lotion", "Nail Kit"],
    &["Concert Ticket", "Museum Pass", "Hotel Night", "Train Ticket", "City Tour", "Theatre Seat", "Car Rental", "Airport Transfer"],
    &["Olive Oil", "Gift Basket", "Smoked Salmon", "Honey", "Rice 5 kg", "Dates & Nuts", "Spice Set", "Dark Chocolate"],
    &["Cloud Storage", "Music Plan", "Game Credits", "Online Course", "Domain Name", "Sticker Pack", "Video Plan", "App Licence"],
];
pub(super) const OPTIONS: &[&str] = &["Black", "White", "Navy", "S", "M", "L", "XL", "2 pcs", "Gift Wrap", "Refurbished"];
pub(super) const REASONS: &[&str] = &[
    "customer changed their mind", "out of stock", "late delivery", "damaged item", "ordered twice", "wrong size", "event cancelled",
    "requested by seller", "goodwill refund", "chargeback lost",
];
pub(super) const FAILURES: &[(&str, &str)] = &[
    ("CARD_DECLINED", "The card was declined by its issuer."),
    ("INSUFFICIENT_FUNDS", "Insufficient funds."),
    ("AUTHENTICATION_FAILED", "The shopper could not be authenticated."),
    ("SHOPPER_ABANDONED", "The shopper closed the window."),
];
pub(super) const STORES: &[&str] = &["web", "app", "Manama", "Austin", "Queens", "Riffa", "Portland", "Seef Mall"];
