using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// The database. Features read it through <see cref="Store"/> and change it through <see cref="Journal"/>, and in no
/// other way. Strings compare by code point, times are microseconds since 1970, ids are text.
/// </summary>
internal abstract class SquallDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<AccountRow> Accounts => Set<AccountRow>();
    public DbSet<SessionRow> Sessions => Set<SessionRow>();
    public DbSet<TokenRow> Tokens => Set<TokenRow>();
    public DbSet<IdentityRow> Identities => Set<IdentityRow>();
    public DbSet<PlaceRow> Places => Set<PlaceRow>();
    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();
    public DbSet<TaskListRow> TaskLists => Set<TaskListRow>();
    public DbSet<MemberRow> Members => Set<MemberRow>();
    public DbSet<TaskRow> Tasks => Set<TaskRow>();
    public DbSet<TaskLabelRow> TaskLabels => Set<TaskLabelRow>();
    public DbSet<CommentRow> Comments => Set<CommentRow>();
    public DbSet<GoneTaskRow> GoneTasks => Set<GoneTaskRow>();
    public DbSet<ChangeRow> Changes => Set<ChangeRow>();
    public DbSet<RequestRow> Requests => Set<RequestRow>();
    public DbSet<AuditRow> Audit => Set<AuditRow>();
    public DbSet<JournalRow> Journals => Set<JournalRow>();

    /// <summary>The memberships that have not ended, of accounts that are not deleted.</summary>
    public IQueryable<MemberRow> LiveMembers => Members.Where(member => member.EndSeq == null
        && !Accounts.Any(account => account.Id == member.AccountId && account.DeleteTimeMicros != null));

    protected override void OnModelCreating(ModelBuilder model)
    {
        MapAccounts(model);
        MapTasks(model);
        MapJournal(model);
    }

    private static void MapAccounts(ModelBuilder model)
    {
        model.Entity<AccountRow>(row =>
        {
            row.ToTable("accounts").HasKey(account => account.Id);
            row.HasIndex(account => account.Username).IsUnique();
            row.Ignore(account => account.LoginHash);
            row.HasIndex(account => account.DeleteTimeMicros).HasFilter("\"DeleteTimeMicros\" IS NOT NULL");
        });
        model.Entity<SessionRow>(row =>
        {
            row.ToTable("sessions").HasKey(session => session.Id);
            row.HasIndex(session => session.AccountId);
            row.HasIndex(session => session.ExpireTimeMicros);
        });
        model.Entity<TokenRow>(row =>
        {
            row.ToTable("tokens").HasKey(token => token.Hash);
            row.HasIndex(token => token.SessionId);
            row.HasIndex(token => token.ExpireTimeMicros);
        });
        model.Entity<IdentityRow>(row =>
        {
            row.ToTable("identities").HasKey(identity => new { identity.Issuer, identity.Subject });
            row.HasIndex(identity => identity.AccountId);
        });
        model.Entity<PlaceRow>(row =>
        {
            row.ToTable("places").HasKey(place => new { place.AccountId, place.Address });
            row.HasIndex(place => place.LoginTimeMicros);
        });
        model.Entity<ApiKeyRow>(row =>
        {
            row.ToTable("api_keys").HasKey(key => key.Id);
            row.HasIndex(key => key.Hash).IsUnique();
            row.HasIndex(key => key.AccountId);
        });
        model.Entity<MemberRow>(row =>
        {
            row.ToTable("members").HasKey(member => new { member.ListId, member.AccountId });
            row.HasIndex(member => new { member.AccountId, member.ListId }).IsUnique();
            row.HasIndex(member => member.HasTasksToUnassign).HasFilter("\"HasTasksToUnassign\"");
        });
    }

    private static void MapTasks(ModelBuilder model)
    {
        model.Entity<TaskListRow>(row =>
        {
            row.ToTable("task_lists").HasKey(list => list.Id);
            row.HasIndex(list => list.DeleteTimeMicros).HasFilter("\"DeleteTimeMicros\" IS NOT NULL");
        });
        TaskRow.Map(model);
    }

    private static void MapJournal(ModelBuilder model)
    {
        model.Entity<ChangeRow>(row =>
        {
            row.ToTable("changes").HasKey(change => change.Seq);
            row.Property(change => change.Seq).ValueGeneratedNever();
            row.Ignore(change => change.Audience).Ignore(change => change.Bytes);
        });
        model.Entity<RequestRow>(row =>
        {
            row.ToTable("requests").HasKey(request => request.Num);
            row.HasIndex(request => new { request.AccountId, request.Rpc, request.RequestId }).IsUnique();
        });
        model.Entity<AuditRow>(row =>
        {
            row.ToTable("audit").HasKey(entry => entry.Num);
            row.HasIndex(entry => entry.TimeMicros);
            row.HasIndex(entry => new { entry.IsRefusal, entry.TimeMicros });
            row.HasIndex(entry => new { entry.AccountId, entry.TimeMicros })
                .HasFilter("\"AccountId\" IS NOT NULL");
            row.HasIndex(entry => new { entry.SubjectId, entry.TimeMicros })
                .HasFilter("\"SubjectId\" IS NOT NULL");
        });
        model.Entity<JournalRow>(row =>
        {
            row.ToTable("journal").HasKey(journal => journal.Id);
            row.Property(journal => journal.Id).ValueGeneratedNever();
        });
    }
}

/// <summary>The database in one SQLite file.</summary>
internal sealed class SqliteSquallDb(DbContextOptions<SqliteSquallDb> options) : SquallDb(options);
