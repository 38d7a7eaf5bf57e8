"""An independent opinion on verdicts: certificates over the product of what can be wrong, and a model that predicts.

plan      draws cases: a case is facts (what the certificate is, what is expected of it), no bytes
forge     makes the bytes of a case, with Python's cryptography
model     predicts outcome, reasons and SCT statuses from the facts alone
compare   runs `ctstub verify` over the bytes and compares

graphs, graphs_model, graphs_forge, graphs_compare do the same for random graphs of CAs: the model tries all paths.
mutations changes real chains, byte by byte or signed anew.

Nothing here reads the tree's sources or tables: the model is written from the standards and from interface.md.
"""
