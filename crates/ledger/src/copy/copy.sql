-- Tables and rows in one transaction, then the log folded into the file, so that the file alone is the copy.
copy from database ledger to copy_of_ledger;
checkpoint copy_of_ledger;
