// Package dns is the lab's resolver: the AmazonProvidedDNS of every VPC, at the base of its range plus two.
//
// It is authoritative for everything, because the region ends where the lab ends: a name that the Source does not know does not exist
// (NXDOMAIN), and no query ever leaves the machine. Queries other than for IN class records are refused.
package dns

import (
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Time to live of what AWS publishes, in seconds.
const (
	LoadBalancerTTL = 60 // "DNS name" in the Elastic Load Balancing user guide
	ClusterTTL      = 5  // endpoints of Aurora: "Amazon Aurora connection management"
)

// Record is one answer. Exactly one of Address and Target is set.
type Record struct {
	TTL     uint32     // seconds
	Address netip.Addr // makes an A or AAAA record
	Target  string     // makes a CNAME record, or the PTR record of a reverse lookup; a domain name with or without the final dot
}

// Source knows the names of the region.
type Source interface {
	// Lookup returns the records of a name, which is in lower case and has no final dot, as seen from a VPC. qtype is a type of package
	// github.com/miekg/dns; records of other types are ignored. found tells a name without such records from one that does not exist.
	Lookup(vpcID, name string, qtype uint16) (records []Record, found bool)
}

// SourceFunc is a Source of one function.
type SourceFunc func(vpcID, name string, qtype uint16) ([]Record, bool)

// Lookup calls f.
func (f SourceFunc) Lookup(vpcID, name string, qtype uint16) ([]Record, bool) {
	return f(vpcID, name, qtype)
}

const (
	negativeTTL = 5 // seconds that "there is no such name" may be remembered: instances start before what they talk to
	longestPath = 8 // CNAME records that one answer follows
)

// resolver answers the queries of one VPC.
type resolver struct {
	vpc    string
	source Source
}

// ServeDNS answers one query.
func (r *resolver) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	size := dns.MaxMsgSize
	if w.RemoteAddr().Network() == "udp" {
		size = dns.MinMsgSize
		if o := query.IsEdns0(); o != nil {
			size = max(size, int(o.UDPSize()))
		}
	}
	reply := r.answer(query)
	reply.Truncate(size)
	_ = w.WriteMsg(reply) // the client went away; it asks again if it cares
}

// answer makes the reply to a query.
func (r *resolver) answer(query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg)
	switch {
	case query.Opcode != dns.OpcodeQuery:
		return reply.SetRcode(query, dns.RcodeNotImplemented)
	case len(query.Question) != 1:
		return reply.SetRcode(query, dns.RcodeFormatError)
	}
	q := query.Question[0]
	if q.Qclass != dns.ClassINET || q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR {
		return reply.SetRcode(query, dns.RcodeRefused)
	}
	reply.SetReply(query)
	reply.Authoritative, reply.RecursionAvailable = true, true
	if o := query.IsEdns0(); o != nil {
		reply.SetEdns0(dns.DefaultMsgSize, false)
	}
	if !r.follow(reply, q.Name, q.Qtype, longestPath) {
		reply.Rcode = dns.RcodeNameError
	}
	if reply.Rcode != dns.RcodeSuccess || len(reply.Answer) == 0 {
		reply.Ns = []dns.RR{&dns.SOA{
			Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: negativeTTL},
			Ns:  "ns.lab.", Mbox: "hostmaster.lab.", Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: negativeTTL,
		}}
	}
	return reply
}

// follow adds the records of a name, and of what it is an alias of. It reports whether the name exists.
func (r *resolver) follow(reply *dns.Msg, name string, qtype uint16, left int) bool {
	records, found := r.source.Lookup(r.vpc, strings.ToLower(strings.TrimSuffix(name, ".")), qtype)
	if !found {
		return false
	}
	var alias string
	var answers []dns.RR
	for _, record := range records {
		if rr := record.rr(name, qtype); rr != nil {
			answers = append(answers, rr)
			if c, ok := rr.(*dns.CNAME); ok {
				alias = c.Target
			}
		}
	}
	rotate(answers)
	reply.Answer = append(reply.Answer, answers...)
	if alias == "" || qtype == dns.TypeCNAME {
		return true
	}
	if left == 0 { // a circle, or near enough
		reply.Rcode = dns.RcodeServerFailure
		return true
	}
	return r.follow(reply, alias, qtype, left-1)
}

// rr is the record as an answer about name, nil when it is none to a question for qtype.
func (r Record) rr(name string, qtype uint16) dns.RR {
	header := func(kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: r.TTL}
	}
	any := qtype == dns.TypeANY
	switch a := r.Address.Unmap(); {
	case a.Is4() && (any || qtype == dns.TypeA):
		return &dns.A{Hdr: header(dns.TypeA), A: a.AsSlice()}
	case a.Is6() && (any || qtype == dns.TypeAAAA):
		return &dns.AAAA{Hdr: header(dns.TypeAAAA), AAAA: a.AsSlice()}
	case a.IsValid() || r.Target == "":
		return nil
	case qtype == dns.TypePTR:
		return &dns.PTR{Hdr: header(dns.TypePTR), Ptr: dns.Fqdn(r.Target)}
	}
	return &dns.CNAME{Hdr: header(dns.TypeCNAME), Target: dns.Fqdn(r.Target)}
}

// rotate starts the list at a random place, so that clients which take the first address spread.
func rotate(list []dns.RR) {
	if len(list) < 2 {
		return
	}
	n := rand.IntN(len(list))
	copy(list, append(append([]dns.RR{}, list[n:]...), list[:n]...))
}
