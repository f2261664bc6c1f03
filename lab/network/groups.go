package network

import (
	"fmt"
	"slices"
	"strings"
)

// renderGroups declares the chains of the security groups. The egress chains return what they allow, because the destination's ingress
// chain has its say next; the ingress chains accept it.
func (v VPC) renderGroups(w *script) {
	groups := map[string]SecurityGroup{}
	for _, g := range v.SecurityGroups {
		groups[g.ID] = g
	}
	var egress, ingress []string
	chains := map[string]int{}
	for _, i := range v.Interfaces {
		if i.NAT {
			egress = append(egress, fmt.Sprintf("%q : continue", i.port()))
			ingress = append(ingress, fmt.Sprintf("%q : accept", i.port()))
			continue
		}
		ids := slices.Compact(slices.Sorted(slices.Values(i.SecurityGroups)))
		key := strings.Join(ids, ",")
		n, ok := chains[key]
		if !ok {
			n = len(chains) + 1
			chains[key] = n
			renderCombination(w, n, ids, groups)
		}
		egress = append(egress, fmt.Sprintf("%q : jump out_%d", i.port(), n))
		ingress = append(ingress, fmt.Sprintf("%q : jump in_%d", i.port(), n))
	}
	w.set("map egress", "ifname : verdict", egress)
	w.set("map ingress", "ifname : verdict", ingress)
}

func renderCombination(w *script, n int, ids []string, groups map[string]SecurityGroup) {
	w.open("chain out_%d", n)
	for _, id := range ids {
		renderRules(w, "daddr", "return", groups[id].Egress, groups)
	}
	w.line("drop")
	w.close()
	w.open("chain in_%d", n)
	for _, id := range ids {
		renderRules(w, "saddr", "accept", groups[id].Ingress, groups)
	}
	w.line("drop")
	w.close()
}

func renderRules(w *script, end, verdict string, rules []GroupRule, groups map[string]SecurityGroup) {
	for _, r := range rules {
		traffic, ok := r.Traffic.match()
		if !ok {
			continue
		}
		if r.Group != "" {
			if _, exists := groups[r.Group]; exists {
				w.line("%s", join(fmt.Sprintf("ip %s @%s", end, groupSet(r.Group)), traffic, verdict))
			}
			continue
		}
		if address, four := peer(end, r.CIDR); four {
			w.line("%s", join(address, traffic, verdict))
		}
	}
}

func groupSet(id string) string { return "group_" + chainName(id) }

// chainName turns an ID into a part of a name in nftables' language, which has no hyphen at every place.
func chainName(id string) string { return strings.ReplaceAll(id, "-", "_") }
