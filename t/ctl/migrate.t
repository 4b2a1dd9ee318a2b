use v5.36;
use warnings FATAL => 'all';

# caportalctl migrate: each file once, in order; what was changed, half done or badly named stops it.

use Caportal::Files qw(folder write_file);
use Caportal::Test;
use Test::More;

my $shared = Caportal::Test->shared;
my $build  = $ENV{CAPORTAL_BUILD} // 'build';
my $dir    = folder($shared->folder_name . "/migrate-$$");
my $name   = "migrate_$$";

$shared->mariadb->sql("CREATE DATABASE $name");

# Output and exit status.
sub migrate () {
    my $output = qx('$build/caportalctl' migrate --mysql-socket '@{[ $shared->mariadb->socket ]}' --user root \\
        --database $name --dir '$dir' 2>&1);
    return ($output, $? >> 8);
}

sub sql ($sql) {
    my $answer = $shared->mariadb->sql("USE $name; $sql");
    chomp $answer;
    return $answer;
}

sub refused ($pattern, $title) {
    my ($output, $status) = migrate();
    is $status, 1, "$title: status 1";
    like $output, $pattern, '  and says so';
    return;
}

refused qr/no file NNNN_name\.sql/, 'an empty folder';

write_file("$dir/0001_one.sql", "-- first; of two\nCREATE TABLE one (a INT);\nINSERT INTO one VALUES (1);\n");
write_file("$dir/0002_two.sql", "INSERT INTO one VALUES (2); INSERT INTO one VALUES (';');");
write_file("$dir/notes.sql",    'nonsense');
refused qr/0002_two\.sql: statement 2 failed: .*Incorrect integer/, 'a statement that the server refuses';
is sql('SELECT GROUP_CONCAT(a ORDER BY a) FROM one'), '1,2', 'all before it was done';

refused qr/0002_two\.sql is half-applied: it stopped after statement 1/, 'the same again';
is sql('SELECT COUNT(*) FROM one'), 2, 'nothing was done twice';

write_file("$dir/0002_two.sql", 'INSERT INTO one VALUES (2);');
sql('DELETE FROM schema_migration WHERE number = 2; DELETE FROM one WHERE a = 2');
is +(migrate())[1], 0, 'mended by hand, it goes through';
is sql('SELECT GROUP_CONCAT(a ORDER BY a) FROM one'), '1,2', 'with what it missed';

my ($output, $status) = migrate();
is $status, 0, 'once more is fine';
unlike $output, qr/applied/, 'and does nothing';
is sql('SELECT COUNT(*) FROM one'), 2, 'truly nothing';

write_file("$dir/0001_one.sql", "CREATE TABLE one (a INT);\n");
refused qr/0001_one\.sql was changed after it was applied/, 'an applied file that was changed';
write_file("$dir/0001_one.sql", "-- first; of two\nCREATE TABLE one (a INT);\nINSERT INTO one VALUES (1);\n");

rename "$dir/0002_two.sql", "$dir/0002_deux.sql";
refused qr/was applied as 0002_two\.sql, and is now 0002_deux\.sql/, 'an applied file with another name';
rename "$dir/0002_deux.sql", "$dir/0002_two.sql";

write_file("$dir/0002_other.sql", 'SELECT 1;');
refused qr/have the same number/, 'two files of one number';
unlink "$dir/0002_other.sql";

write_file("$dir/0003_open.sql", "SELECT 1; SELECT 'open;");
refused qr/0003_open\.sql: after statement 1 a string or comment is not closed/, 'a string without end';

done_testing;
