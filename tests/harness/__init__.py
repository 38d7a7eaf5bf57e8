"""The common parts of the functional tests and the checks.

runner    builds, runs everything, counts (tests/run calls it)
children  programs that a run starts, and what each of its tasks used of the processors
case      a test: a function, a name, what it needs; and the context it gets
build     a copy of the sources and the builds made from it
packages  servers from Debian, unpacked and never installed
daemon    ctstubd with a configuration in a folder of its own
lab       ctstub-lab's servers, its certificates
pki       certificates, SCTs and log lists made in Python, on their own
upstream  DoT and DoH servers in Python that do what a test tells them
servers   unbound, BIND, dnsdist and nghttpx with the lab's certificates
client    questions over UDP and TCP, well-formed and not
wire      odd DNS bytes
proxy     a TCP proxy that delays, cuts, holds and dribbles
"""
