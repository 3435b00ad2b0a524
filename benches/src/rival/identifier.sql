-- Payments that an identifier leads to, whatever it identifies.
select payment_key from payments where payment_key = $2
union select payment_key from payments where order_id = $1
union select payment_key from payments where transaction_key = $1
union select payment_key from payments where approve_no = $1
union select payment_key from payments where account_number = $1
union select payment_key from payments where email = $1
union select payment_key from payments where phone = $1
union select payment_key from cancellations where ident = $1
union select payment_key from settlements where ident = $1
union select payment_key from settlements where of_cancellation = $1
union select payment_key from settlements where payout_id = $1
