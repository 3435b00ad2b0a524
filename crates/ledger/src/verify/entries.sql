-- What the unified ledger holds of some payments.
from entry_rows where seq >= /* FROM */ and seq < /* TO */
