namespace ImportTaskwarrior;

/// <summary>Something that a person has to mend before the program can go on; the message says what.</summary>
internal sealed class ImportException(string message) : Exception(message);
