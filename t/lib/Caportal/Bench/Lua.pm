package Caportal::Bench::Lua;

# The same work by nginx and Lua, as Debian packages them, in a server of its own beside the portal's.

use v5.36;
use Caportal::Files qw(folder write_file);
use Caportal::Process;
use FindBin;
use IO::Socket::IP;

use constant MODULES => '/usr/lib/nginx/modules';
use constant NEEDED  => MODULES . '/ngx_http_lua_module.so', '/usr/share/lua/5.1/nginx/redis.lua',
    '/usr/share/lua/5.1/nginx/sha256.lua', '/usr/share/lua/5.1/cjson/util.lua';

# What is not installed of section [bench] of deploy/packages.
sub missing ($class) {
    return grep { !-e } NEEDED;
}

# portal; port: that it listens on; common: text for the level above; locations: text of its server block.
sub start ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home} = folder($given{portal}->home . '/lua', 0755);

    folder("$home/$_", 0755) for qw(run log);
    write_file("$home/nginx.conf", <<~"END");
        load_module ${\ MODULES}/ndk_http_module.so;
        load_module ${\ MODULES}/ngx_http_lua_module.so;
        user root;
        worker_processes 1;
        daemon off;
        pid $home/run/nginx.pid;
        error_log $home/log/error.log;
        events { worker_connections 4096; }
        http {
            access_log off;
            lua_package_path "$FindBin::Bin/?.lua;/usr/share/lua/5.1/?.lua;;";
            client_body_temp_path $home/run/body;
            proxy_temp_path $home/run/proxy;
            fastcgi_temp_path $home/run/fastcgi;
            uwsgi_temp_path $home/run/uwsgi;
            scgi_temp_path $home/run/scgi;
            keepalive_requests 1000000000;
            ${\ ($self->{common} // '')}
            server {
                listen 127.0.0.1:$self->{port};
                $self->{locations}
            }
        }
        END
    $self->{process} = Caportal::Process->new(name => 'lua', run => "$home/run", log => "$home/log");
    $self->{process}->start(['nginx', '-c', "$home/nginx.conf", '-e', "$home/log/error.log"]);
    $self->{process}->wait_until(10, sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{port}) });
    return $self;
}

sub base ($self)    { return "http://127.0.0.1:$self->{port}" }
sub process ($self) { return $self->{process} }

sub DESTROY ($self) {
    local ($?, $@);
    $self->{process}->stop if $self->{process};
    return;
}

1;
