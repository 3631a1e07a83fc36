-- The onboarding portal is another company's system: it has a database of its own.
CREATE DATABASE onboarding;
