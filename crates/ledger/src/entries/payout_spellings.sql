-- Distinct payout ids that may have a wanted normal form: of those in ASCII (as many bytes as characters) it is lower case
-- without spaces and hyphens; others are left to the caller.
with wanted(normal) as (values /* wanted */)
select distinct payout_id
from entries
where payout_id is not null
  and (strlen(payout_id) <> length(payout_id)
       or translate(lower(payout_id), ' -' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13), '') in
          (select normal from wanted))
