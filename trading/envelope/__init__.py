"""投标信封 KFE1: the sealed bid (docs/reference/kfe1.md). Pure; knows no rules of tenders."""
