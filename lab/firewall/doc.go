// Package firewall inspects HTTP requests as a web ACL of AWS WAF says: Compile turns its rules into an Inspector.
//
// IP sets, rate limits, matches on parts of a request, labels, logical statements, rule groups and actions behave as AWS documents them. The content of AWS's
// managed rule groups is not public: rules of the OWASP Core Rule Set with the same subject stand in for them (see managed.go), under the names of AWS's rules,
// so that overrides and labels work. What cannot be inspected here (countries, CAPTCHA, challenges, fingerprints) is refused by Compile, not ignored.
package firewall
