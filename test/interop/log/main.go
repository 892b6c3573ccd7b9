// Checks an export of the audit log with code that is not ours: golang.org/x/mod/sumdb/note opens the
// checkpoints, golang.org/x/mod/sumdb/tlog computes the tree and checks every proof.
//
//	logcheck KEY BUNDLE PROOFS
//
// PROOFS is JSON: {"inclusion": [{"seq", "size", "leaf", "proof"}], "consistency": [{"from", "to", "proof"}]}.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type header struct {
	Origin      string   `json:"origin"`
	Keys        []string `json:"keys"`
	Checkpoint  string   `json:"checkpoint"`
	Checkpoints []string `json:"checkpoints"`
}

type proofs struct {
	Inclusion []struct {
		Seq   int64    `json:"seq"`
		Size  int64    `json:"size"`
		Leaf  string   `json:"leaf"`
		Proof []string `json:"proof"`
	} `json:"inclusion"`
	Consistency []struct {
		From  int64    `json:"from"`
		To    int64    `json:"to"`
		Proof []string `json:"proof"`
	} `json:"consistency"`
}

// stored keeps hashes as tlog lays them out, in memory.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		out[i] = s[index]
	}
	return out, nil
}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: logcheck KEY BUNDLE PROOFS"))
	}
	verifier, err := note.NewVerifier(os.Args[1])
	fail(err)
	head, hashes, count := read(os.Args[2])
	if verifier.Name() != head.Origin {
		fail(fmt.Errorf("the key is %s, the bundle %s", verifier.Name(), head.Origin))
	}
	size, root := open(head.Checkpoint, verifier)
	if size != count {
		fail(fmt.Errorf("the checkpoint has %d entries, the bundle %d", size, count))
	}
	same(treeAt(size, hashes), root, "the checkpoint")
	for _, text := range head.Checkpoints {
		size, root := open(text, verifier)
		same(treeAt(size, hashes), root, fmt.Sprintf("the checkpoint of %d", size))
	}
	inclusions, consistencies := check(os.Args[3], hashes)
	fmt.Printf("ok %d entries, %d checkpoints, %d inclusion proofs, %d consistency proofs\n",
		count, 1+len(head.Checkpoints), inclusions, consistencies)
}

func read(path string) (header, stored, int64) {
	file, err := os.Open(path)
	fail(err)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 8<<20)
	if !lines.Scan() {
		fail(fmt.Errorf("the bundle is empty"))
	}
	var head header
	fail(json.Unmarshal(lines.Bytes(), &head))
	var hashes stored
	var count int64
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), `{"first":`) {
			continue
		}
		more, err := tlog.StoredHashes(count, lines.Bytes(), hashes)
		fail(err)
		hashes = append(hashes, more...)
		count++
	}
	fail(lines.Err())
	return head, hashes, count
}

func open(text string, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	fail(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail(fmt.Errorf("no checkpoint: %q", opened.Text))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	fail(err)
	root, err := tlog.ParseHash(lines[2])
	fail(err)
	return size, root
}

func treeAt(size int64, hashes stored) tlog.Hash {
	root, err := tlog.TreeHash(size, hashes)
	fail(err)
	return root
}

func check(path string, hashes stored) (int, int) {
	text, err := os.ReadFile(path)
	fail(err)
	var all proofs
	fail(json.Unmarshal(text, &all))
	for _, one := range all.Inclusion {
		proof := tlog.RecordProof(parse(one.Proof))
		leaf := parse([]string{one.Leaf})[0]
		fail(tlog.CheckRecord(proof, one.Size, treeAt(one.Size, hashes), one.Seq-1, leaf))
	}
	for _, one := range all.Consistency {
		proof := tlog.TreeProof(parse(one.Proof))
		fail(tlog.CheckTree(proof, one.To, treeAt(one.To, hashes), one.From, treeAt(one.From, hashes)))
	}
	return len(all.Inclusion), len(all.Consistency)
}

func parse(texts []string) []tlog.Hash {
	out := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		bytes, err := base64.StdEncoding.DecodeString(text)
		fail(err)
		copy(out[i][:], bytes)
	}
	return out
}

func same(ours, theirs tlog.Hash, what string) {
	if ours != theirs {
		fail(fmt.Errorf("%s is not that of the entries", what))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "logcheck:", err)
		os.Exit(1)
	}
}
