using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Squall.Server.Migrations
{
    /// <summary>
    /// Tasks by number, labels by list, an index for each order, and the words of tasks. Written by hand: EF moves no
    /// rows from one key to another, and knows no full-text index.
    /// </summary>
    public partial class TaskSearch : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                CREATE TABLE "numbered_tasks" (
                    "Num" INTEGER NOT NULL CONSTRAINT "PK_tasks" PRIMARY KEY,
                    "Id" TEXT NOT NULL,
                    "ListId" TEXT NOT NULL,
                    "Title" TEXT NOT NULL,
                    "Note" TEXT NULL,
                    "State" INTEGER NOT NULL,
                    "Priority" INTEGER NOT NULL,
                    "Labels" TEXT NOT NULL,
                    "AssigneeId" TEXT NULL,
                    "ParentId" TEXT NULL,
                    "DueTimeMicros" INTEGER NULL,
                    "Rank" TEXT NOT NULL,
                    "CreatorId" TEXT NOT NULL,
                    "CreateTimeMicros" INTEGER NOT NULL,
                    "UpdateTimeMicros" INTEGER NOT NULL,
                    "CompleteTimeMicros" INTEGER NULL,
                    "Version" INTEGER NOT NULL,
                    "StepCount" INTEGER NOT NULL,
                    "CommentCount" INTEGER NOT NULL);
                INSERT INTO "numbered_tasks"
                SELECT row_number() OVER (ORDER BY "Id"), "Id", "ListId", "Title", "Note", "State", "Priority", "Labels",
                    "AssigneeId", "ParentId", "DueTimeMicros", "Rank", "CreatorId", "CreateTimeMicros",
                    "UpdateTimeMicros", "CompleteTimeMicros", "Version", "StepCount", "CommentCount"
                FROM "tasks" ORDER BY "Id";
                DROP TABLE "tasks";
                ALTER TABLE "numbered_tasks" RENAME TO "tasks";
                CREATE UNIQUE INDEX "IX_tasks_Id" ON "tasks" ("Id");
                CREATE INDEX "IX_tasks_ListId_Rank" ON "tasks" ("ListId", "Rank");
                CREATE INDEX "IX_tasks_ListId_State_Rank" ON "tasks" ("ListId", "State", "Rank");
                CREATE INDEX "IX_tasks_ListId_Title" ON "tasks" ("ListId", "Title");
                CREATE INDEX "IX_tasks_ListId_CreateTimeMicros" ON "tasks" ("ListId", "CreateTimeMicros");
                CREATE INDEX "IX_tasks_ListId_UpdateTimeMicros" ON "tasks" ("ListId", "UpdateTimeMicros");
                CREATE INDEX "IX_tasks_ListId_DueTimeMicros" ON "tasks" ("ListId", "DueTimeMicros")
                    WHERE "DueTimeMicros" IS NOT NULL;
                CREATE INDEX "IX_tasks_ListId_CompleteTimeMicros" ON "tasks" ("ListId", "CompleteTimeMicros")
                    WHERE "CompleteTimeMicros" IS NOT NULL;
                CREATE INDEX "IX_tasks_ListId_Priority" ON "tasks" ("ListId", "Priority") WHERE "Priority" > 0;
                CREATE INDEX "IX_tasks_AssigneeId_ListId" ON "tasks" ("AssigneeId", "ListId")
                    WHERE "AssigneeId" IS NOT NULL;
                CREATE INDEX "IX_tasks_ParentId" ON "tasks" ("ParentId") WHERE "ParentId" IS NOT NULL;
                """);
            migrationBuilder.Sql(
                """
                CREATE TABLE "listed_labels" (
                    "ListId" TEXT NOT NULL,
                    "Label" TEXT NOT NULL,
                    "TaskNum" INTEGER NOT NULL,
                    CONSTRAINT "PK_task_labels" PRIMARY KEY ("ListId", "Label", "TaskNum")) WITHOUT ROWID;
                INSERT INTO "listed_labels"
                SELECT t."ListId", l."Label", t."Num" FROM "task_labels" AS l JOIN "tasks" AS t ON t."Id" = l."TaskId";
                DROP TABLE "task_labels";
                ALTER TABLE "listed_labels" RENAME TO "task_labels";
                """);
            // Without the text itself, which the tasks have; rows can be deleted all the same.
            migrationBuilder.Sql(
                $"""
                CREATE VIRTUAL TABLE "task_words" USING fts5 (
                    title, note, content='', contentless_delete=1, tokenize="ascii tokenchars '_'");
                INSERT INTO "task_words" (rowid, title, note)
                SELECT "Num", {Words.IndexedFunction}("ListId", "Title"), {Words.IndexedFunction}("ListId", "Note")
                FROM "tasks" ORDER BY "Num";
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new System.NotSupportedException("An older server refuses a newer database.");
    }
}
