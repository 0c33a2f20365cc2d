"""The program's words: numbers, counts and the sentences that follow from codes and figures."""
