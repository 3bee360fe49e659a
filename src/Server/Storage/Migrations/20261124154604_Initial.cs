using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Squall.Server.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "accounts",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    Username = table.Column<string>(type: "TEXT", nullable: false),
                    DisplayName = table.Column<string>(type: "TEXT", nullable: false),
                    CreateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    PasswordHash = table.Column<string>(type: "TEXT", nullable: true),
                    ListCount = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_accounts", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "changes",
                columns: table => new
                {
                    Seq = table.Column<long>(type: "INTEGER", nullable: false),
                    Mark = table.Column<long>(type: "INTEGER", nullable: false),
                    Kind = table.Column<int>(type: "INTEGER", nullable: false),
                    ListId = table.Column<string>(type: "TEXT", nullable: false),
                    TaskId = table.Column<string>(type: "TEXT", nullable: false),
                    AccountId = table.Column<string>(type: "TEXT", nullable: false),
                    ActorId = table.Column<string>(type: "TEXT", nullable: false),
                    TimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    Notification = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Before = table.Column<byte[]>(type: "BLOB", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_changes", x => x.Seq);
                });

            migrationBuilder.CreateTable(
                name: "comments",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    TaskId = table.Column<string>(type: "TEXT", nullable: false),
                    AuthorId = table.Column<string>(type: "TEXT", nullable: false),
                    Text = table.Column<string>(type: "TEXT", nullable: false),
                    CreateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_comments", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "gone_tasks",
                columns: table => new
                {
                    TaskId = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gone_tasks", x => x.TaskId);
                });

            migrationBuilder.CreateTable(
                name: "journal",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false),
                    Epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    FloorSeq = table.Column<long>(type: "INTEGER", nullable: false),
                    FloorMark = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_journal", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "members",
                columns: table => new
                {
                    ListId = table.Column<string>(type: "TEXT", nullable: false),
                    AccountId = table.Column<string>(type: "TEXT", nullable: false),
                    Role = table.Column<int>(type: "INTEGER", nullable: false),
                    SinceSeq = table.Column<long>(type: "INTEGER", nullable: false),
                    EndSeq = table.Column<long>(type: "INTEGER", nullable: true),
                    HasTasksToUnassign = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_members", x => new { x.ListId, x.AccountId });
                });

            migrationBuilder.CreateTable(
                name: "requests",
                columns: table => new
                {
                    Num = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    AccountId = table.Column<string>(type: "TEXT", nullable: false),
                    Rpc = table.Column<string>(type: "TEXT", nullable: false),
                    RequestId = table.Column<string>(type: "TEXT", nullable: false),
                    RequestHash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Answer = table.Column<byte[]>(type: "BLOB", nullable: false),
                    TimeMicros = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_requests", x => x.Num);
                });

            migrationBuilder.CreateTable(
                name: "sessions",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    AccountId = table.Column<string>(type: "TEXT", nullable: false),
                    CreateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    LastUseTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    ExpireTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    UserAgent = table.Column<string>(type: "TEXT", nullable: false),
                    Generation = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sessions", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "task_labels",
                columns: table => new
                {
                    TaskId = table.Column<string>(type: "TEXT", nullable: false),
                    Label = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_task_labels", x => new { x.TaskId, x.Label });
                });

            migrationBuilder.CreateTable(
                name: "task_lists",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    Title = table.Column<string>(type: "TEXT", nullable: false),
                    CreateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    UpdateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    Version = table.Column<long>(type: "INTEGER", nullable: false),
                    TaskCount = table.Column<int>(type: "INTEGER", nullable: false),
                    MemberCount = table.Column<int>(type: "INTEGER", nullable: false),
                    DeleteTimeMicros = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_task_lists", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "tasks",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    ListId = table.Column<string>(type: "TEXT", nullable: false),
                    Title = table.Column<string>(type: "TEXT", nullable: false),
                    Note = table.Column<string>(type: "TEXT", nullable: true),
                    State = table.Column<int>(type: "INTEGER", nullable: false),
                    Priority = table.Column<int>(type: "INTEGER", nullable: false),
                    Labels = table.Column<string>(type: "TEXT", nullable: false),
                    AssigneeId = table.Column<string>(type: "TEXT", nullable: true),
                    ParentId = table.Column<string>(type: "TEXT", nullable: true),
                    DueTimeMicros = table.Column<long>(type: "INTEGER", nullable: true),
                    Rank = table.Column<string>(type: "TEXT", nullable: false),
                    CreatorId = table.Column<string>(type: "TEXT", nullable: false),
                    CreateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    UpdateTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    CompleteTimeMicros = table.Column<long>(type: "INTEGER", nullable: true),
                    Version = table.Column<long>(type: "INTEGER", nullable: false),
                    StepCount = table.Column<int>(type: "INTEGER", nullable: false),
                    CommentCount = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_tasks", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "tokens",
                columns: table => new
                {
                    Hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    SessionId = table.Column<string>(type: "TEXT", nullable: false),
                    IsRefresh = table.Column<bool>(type: "INTEGER", nullable: false),
                    Generation = table.Column<int>(type: "INTEGER", nullable: false),
                    ExpireTimeMicros = table.Column<long>(type: "INTEGER", nullable: false),
                    SpentTimeMicros = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_tokens", x => x.Hash);
                });

            migrationBuilder.CreateIndex(
                name: "IX_accounts_Username",
                table: "accounts",
                column: "Username",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_comments_TaskId_Id",
                table: "comments",
                columns: new[] { "TaskId", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_members_AccountId_ListId",
                table: "members",
                columns: new[] { "AccountId", "ListId" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_members_HasTasksToUnassign",
                table: "members",
                column: "HasTasksToUnassign",
                filter: "\"HasTasksToUnassign\"");

            migrationBuilder.CreateIndex(
                name: "IX_requests_AccountId_Rpc_RequestId",
                table: "requests",
                columns: new[] { "AccountId", "Rpc", "RequestId" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_sessions_AccountId",
                table: "sessions",
                column: "AccountId");

            migrationBuilder.CreateIndex(
                name: "IX_sessions_ExpireTimeMicros",
                table: "sessions",
                column: "ExpireTimeMicros");

            migrationBuilder.CreateIndex(
                name: "IX_task_labels_Label_TaskId",
                table: "task_labels",
                columns: new[] { "Label", "TaskId" });

            migrationBuilder.CreateIndex(
                name: "IX_task_lists_DeleteTimeMicros",
                table: "task_lists",
                column: "DeleteTimeMicros",
                filter: "\"DeleteTimeMicros\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_AssigneeId_ListId",
                table: "tasks",
                columns: new[] { "AssigneeId", "ListId" },
                filter: "\"AssigneeId\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_ListId_CreateTimeMicros",
                table: "tasks",
                columns: new[] { "ListId", "CreateTimeMicros" });

            migrationBuilder.CreateIndex(
                name: "IX_tasks_ListId_DueTimeMicros",
                table: "tasks",
                columns: new[] { "ListId", "DueTimeMicros" },
                filter: "\"DueTimeMicros\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_tasks_ListId_Rank_Id",
                table: "tasks",
                columns: new[] { "ListId", "Rank", "Id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_tasks_ParentId",
                table: "tasks",
                column: "ParentId",
                filter: "\"ParentId\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_tokens_ExpireTimeMicros",
                table: "tokens",
                column: "ExpireTimeMicros");

            migrationBuilder.CreateIndex(
                name: "IX_tokens_SessionId",
                table: "tokens",
                column: "SessionId");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "accounts");

            migrationBuilder.DropTable(
                name: "changes");

            migrationBuilder.DropTable(
                name: "comments");

            migrationBuilder.DropTable(
                name: "gone_tasks");

            migrationBuilder.DropTable(
                name: "journal");

            migrationBuilder.DropTable(
                name: "members");

            migrationBuilder.DropTable(
                name: "requests");

            migrationBuilder.DropTable(
                name: "sessions");

            migrationBuilder.DropTable(
                name: "task_labels");

            migrationBuilder.DropTable(
                name: "task_lists");

            migrationBuilder.DropTable(
                name: "tasks");

            migrationBuilder.DropTable(
                name: "tokens");
        }
    }
}
