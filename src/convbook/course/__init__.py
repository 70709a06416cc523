"""What only the book's pages need: figures, checks, quizzes, explorers, experiments, runs, site."""
