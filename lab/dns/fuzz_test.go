package dns

import (
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// wire is a client's side of one exchange.
type wire struct {
	dns.ResponseWriter
	reply []byte
	err   error
}

func (*wire) RemoteAddr() net.Addr { return &net.UDPAddr{} }

func (w *wire) WriteMsg(m *dns.Msg) (err error) {
	w.reply, w.err = m.Pack()
	return w.err
}

// FuzzQuery feeds packets to the handler: what parses is answered with a reply that parses, fits, and belongs to the question.
func FuzzQuery(f *testing.F) {
	for _, m := range []*dns.Msg{new(dns.Msg).SetQuestion("a.lab.", dns.TypeA), new(dns.Msg).SetQuestion(".", dns.TypeANY).SetEdns0(1, true), new(dns.Msg).SetNotify("lab."), {}} {
		packet, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet)
	}
	h := newHandler("vpc-1", SourceFunc(func(_, name string, _ uint16) ([]Record, bool) {
		switch len(name) % 4 {
		case 0:
			return []Record{{TTL: 1, Target: name + "x"}}, true
		case 1:
			return []Record{{Address: netip.MustParseAddr("10.0.0.1")}, {Address: netip.MustParseAddr("fd00::1")}, {}}, true
		case 2:
			return nil, true
		}
		return nil, false
	}))
	f.Fuzz(func(t *testing.T, packet []byte) {
		query := new(dns.Msg)
		if query.Unpack(packet) != nil {
			return
		}
		w := &wire{}
		h.ServeDNS(w, query)
		if w.err != nil {
			t.Fatalf("a reply that cannot be sent: %v", w.err)
		}
		reply := new(dns.Msg)
		if err := reply.Unpack(w.reply); err != nil {
			t.Fatalf("a reply that does not parse: %v", err)
		}
		if reply.Id != query.Id || !reply.Response {
			t.Fatal("a reply to something else")
		}
		if o := query.IsEdns0(); len(w.reply) > dns.MinMsgSize && (o == nil || len(w.reply) > int(o.UDPSize())) {
			t.Fatalf("%d bytes over UDP", len(w.reply))
		}
	})
}
