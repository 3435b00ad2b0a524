-- The list rows of some payments.
from payment_rows where seq >= /* FROM */ and seq < /* TO */
